import { integer, pgTable, primaryKey, smallint, text, timestamp } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import type { EntityDefinition } from '../../src/entity/definition.ts';
import { listSource } from '../../src/entity/definition.ts';
import { listReader } from '../../src/lists/list.ts';
import type { PageNeeds, PageQuery } from '../../src/lists/page-request.ts';
import { openDatabase } from '../../src/postgres/client.ts';
import { run } from '../../src/postgres/statement.ts';
import { entity } from '../../src/repository/entity.ts';
import { Trace } from '../../src/trace/trace.ts';
import { entities, makeLibrary } from '../support/library.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const NEEDS: PageNeeds = { rows: true, entities: true, positions: false, total: false, flags: false };

const database = await freshDatabase(t);
const sql = openSql(t, database);
await makeLibrary(sql, { libraries: 2, shelves: 10, books: 30, perShelf: 8 });
const pool = openDatabase({ url: database.url, poolSize: 1, statementTimeoutMs: 60_000 });
t.teardown(() => pool.close());

const page = (order: string, more: Partial<PageQuery>): PageQuery => ({
  ...{ order, direction: 'ASC', limit: 3, backward: false, needs: NEEDS },
  ...more,
});

/** Reads pages without bodies and with them, and says what each reading finds. */
async function twice(definition: EntityDefinition<never, string>, list: string, requests: readonly PageQuery[]) {
  const read = listReader(pool, listSource(definition, list));
  const trace = new Trace();
  const named = await read(requests, trace);
  const whole = await read(
    requests.map((request) => ({ ...request, needs: { ...request.needs, bodies: true } })),
    trace,
  );
  const rows = await run(
    pool,
    definition.byIds,
    definition.valuesOfIds(named.flatMap(({ refs }) => refs.map(({ id }) => id))),
    new Trace(),
  );
  const bodies = new Map(rows.map((row) => [row.id, definition.toBody(row)]));
  return { named, whole, bodies, statements: trace.sql.statements };
}

const book = entities.Book.define('Book') as unknown as EntityDefinition<never, string>;
const at = { key: '2026-01-01 00:00:00.000001+00', id: '4' };
const all: PageNeeds = { rows: true, entities: true, positions: true, total: true, flags: true };
const cases: Record<string, [list: string, requests: readonly PageQuery[]]> = {
  'of the table itself': ['all', [page('PUBLISHED_AT', {})]],
  'of the table itself, sorted by its key': ['all', [page('ID', { direction: 'DESC', needs: all })]],
  'over a join table': ['onShelf', [page('PUBLISHED_AT', { parent: '1' }), page('PUBLISHED_AT', { parent: '2' })]],
  'of some of which nothing is there': [
    'onShelf',
    ['10', '3', '99'].map((parent) => page('PUBLISHED_AT', { parent, needs: all })),
  ],
  'after a place, with all that is said of a page': ['all', [page('PUBLISHED_AT', { after: at, needs: all })]],
  'before a place, from its end': ['all', [page('PUBLISHED_AT', { before: at, backward: true, needs: all })]],
  'after an end and before it': ['onShelf', [page('ID', { parent: '3', after: { key: null, id: '999' }, needs: all })]],
  filtered: ['all', [page('ID', { filters: [['publishedAfter', '2026-01-01T00:00:00.000002Z']], needs: all })]],
};

for (const [name, [list, requests]] of Object.entries(cases)) {
  t.test(`pages bring their bodies along: ${name}`, async (t) => {
    const { named, whole, bodies, statements } = await twice(book, list, requests);
    t.equal(statements, 2, 'one statement each');
    t.equal(whole.length, named.length);
    for (const [i, found] of named.entries()) {
      const { refs, ...said } = found;
      t.same({ ...whole[i], refs: whole[i]?.refs.map(({ id, version }) => ({ id, version })) }, { ...said, refs });
      t.equal(whole[i]?.named, found.named, 'memory knows the page by the same words');
      t.same([whole[i]?.keys, whole[i]?.total], [found.keys, found.total]);
      for (const { id, version, body } of whole[i]?.refs ?? []) {
        t.same(body, bodies.get(id), 'a body is what is read by id');
        t.equal(body?.version, version);
      }
    }
  });
}

t.test('between two places a list names its entries alone', async (t) => {
  const { whole } = await twice(book, 'all', [
    page('ID', { after: { key: null, id: '2' }, before: { key: null, id: '9' } }),
  ]);
  t.same(
    whole[0]?.refs.map(({ id, body }) => [id, body]),
    ['3', '4', '5'].map((id) => [id, undefined]),
  );
});

t.test('an entry that leads to no row has no body', async (t) => {
  await sql`set session_replication_role = replica`;
  await sql`delete from books where id = 9`;
  await sql`set session_replication_role = origin`;
  const [shelf] = await sql<[{ id: string }]>`select shelf_id::text as id from shelf_books where book_id = 9 limit 1`;
  const { named, whole } = await twice(book, 'onShelf', [page('PUBLISHED_AT', { parent: shelf.id, limit: 10 })]);
  const gone = whole[0]?.refs.find(({ id }) => id === '9');
  t.same(gone, { id: '9', version: '', body: null });
  t.same(
    whole[0]?.refs.map(({ id, version }) => ({ id, version })),
    named[0]?.refs,
  );
});

t.test('whatever the columns and the key are', async (t) => {
  await sql.unsafe(`
    create table things (kind text, number smallint, ord text, page timestamptz, c0 text, primary key (kind, number));
    insert into things values ('a,b', 1, 'x', now(), 'y'), ('%', 2, null, null, null), ('c"', 3, '', now(), '')`);
  const things = pgTable(
    'things',
    {
      kind: text('kind').notNull(),
      number: smallint('number').notNull(),
      ord: text('ord'),
      page: timestamp('page', { withTimezone: true }),
      c0: text('c0'),
    },
    (t) => [primaryKey({ columns: [t.kind, t.number] })],
  );
  const definition = entity(things).define('Thing') as unknown as EntityDefinition<never, string>;
  const { named, whole, bodies } = await twice(definition, 'all', [page('ID', { limit: 10, needs: all })]);
  t.equal(named[0]?.refs.length, 3);
  t.equal(whole[0]?.total, 3);
  const next = await twice(definition, 'all', [page('ID', { after: { key: null, id: '%25,2' }, needs: all })]);
  for (const found of [next.named, next.whole]) t.match(found[0], { total: 3, hasPrevious: true });
  for (const { id, body } of whole[0]?.refs ?? []) t.same(body, bodies.get(id));
  t.same(
    whole[0]?.refs.map(({ id }) => id),
    named[0]?.refs.map(({ id }) => id),
  );
});

t.test('a list over the table of the entity may lead to other rows of it', async (t) => {
  await sql.unsafe(`
    create table employees (id int primary key, team int not null, lead int);
    insert into employees values (1, 1, 4), (2, 1, 5), (3, 1, null), (4, 2, 5), (5, 2, 5)`);
  const employees = pgTable('employees', {
    id: integer('id').primaryKey(),
    team: integer('team').notNull(),
    lead: integer('lead'),
  });
  const lists = { leads: { from: employees, parent: employees.team, id: employees.lead } };
  const definition = entity(employees, { lists }).define('Employee') as unknown as EntityDefinition<never, string>;
  const { named, whole, bodies } = await twice(definition, 'leads', [page('ID', { parent: '1', needs: all })]);
  for (const [found] of [named, whole]) {
    t.same(
      found?.refs.map(({ id, version }) => [id, version]),
      ['4', '5'].map((id) => [id, bodies.get(id)?.version]),
    );
  }
  for (const { id, body } of whole[0]?.refs ?? []) t.same(body, bodies.get(id));
});
