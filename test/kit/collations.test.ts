import { integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { createLarder, entity } from '../../src/index.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const codes = pgTable('codes', { id: text('id').primaryKey(), note: text('note') });
const pairs = pgTable('pairs', { a: text('a'), b: integer('b'), note: text('note') }, ({ a, b }) => [
  primaryKey({ columns: [a, b] }),
]);

const links = pgTable('links', {
  id: integer('id').primaryKey(),
  shelf: integer('shelf').notNull(),
  code: text('code').notNull(),
  pair: text('pair').notNull(),
});

const COLLATION = `create collation ignoring (provider = icu, locale = 'und-u-ka-shifted-ks-level2', deterministic = false)`;

t.test('keys whose collation takes other texts for the same', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  await sql.unsafe(`
    ${COLLATION};
    create table codes (id text collate ignoring primary key, note text);
    create table pairs (a text collate ignoring, b int, note text, primary key (a, b));
    select cache_outbox_watch('codes', 'Code'), cache_outbox_watch('pairs', 'Pair');
    insert into codes values ('abc', 'old');
    insert into pairs values ('a,c', 1, 'old')`);
  const larder = await createLarder({
    entities: { Code: entity(codes), Pair: entity(pairs) },
    postgres: { url: database.url },
    redis: { url: redis.url, timeoutMs: REDIS_PATIENCE_MS },
    // So long that nothing of it is over in time.
    cache: { maxStalenessMs: 600_000, selfAuditRate: 0 },
  });
  t.teardown(() => larder.close());
  const { Code, Pair } = larder.repositories;
  const cached = (name: 'Code' | 'Pair', id: string) =>
    until('memory answers', async () => {
      const { scope } = larder.createContext();
      await larder.repositories[name].findById(id, scope);
      return scope.trace.sql.statements === 0;
    });

  t.match(await Pair.findById('a%2Cc,1'), { id: 'a%2Cc,1', note: 'old' }, 'a comma is a comma');
  await cached('Pair', 'a%2Cc,1');
  await sql`update pairs set note = 'new'`;
  await until('the change is heard of', async () => (await Pair.findById('a%2Cc,1'))?.note === 'new');

  await cached('Code', 'abc');
  await cached('Code', 'ABC');
  t.equal(await Code.findById('ABC'), null, 'an id is that of one row, as it is written');
  await sql`update codes set id = 'ABC', note = 'new'`;
  await until('the new id is heard of', async () => (await Code.findById('ABC'))?.note === 'new');
  await until('and the old one, too', async () => (await Code.findById('abc')) === null);
});

t.test('rows that name a key otherwise than it is written', async (t) => {
  const database = await freshDatabase(t);
  const sql = openSql(t, database);
  await sql.unsafe(`
    ${COLLATION};
    create table codes (id text collate ignoring primary key, note text);
    create table pairs (a text collate ignoring, b int, note text, primary key (a, b));
    create table links (id int primary key, shelf int not null, code text collate ignoring not null references codes,
      pair text collate ignoring not null);
    select cache_outbox_watch('codes', 'Code'), cache_outbox_watch('pairs', 'Pair');
    insert into codes values ('abc', 'old'), ('def', 'old');
    insert into pairs values ('abc', 1, 'old'), ('def', 1, 'old');
    insert into links values (1, 1, 'ABC', 'ABC'), (2, 1, 'def', 'def')`);
  const onShelf = { from: links, parent: links.shelf };
  const larder = await createLarder({
    entities: {
      Code: entity(codes, { lists: { onShelf: { ...onShelf, id: links.code } } }),
      Pair: entity(pairs, { lists: { onShelf: { ...onShelf, id: [links.pair, links.shelf] } } }),
    },
    postgres: { url: database.url },
    cache: { selfAuditRate: 0, memoryMaxEntries: 0 },
  });
  t.teardown(() => larder.close());
  const { Code, Pair } = larder.repositories;

  const needs = { rows: true, entities: true, positions: false, total: false, flags: false };
  const request = { parent: '1', order: 'ID', direction: 'ASC', limit: 5, backward: false, needs } as const;
  // Bodies are read by id at first, and brought along later.
  for (const round of [1, 2, 3, 4, 5]) {
    const [[ofCode], [ofPair]] = await Promise.all([Code.list('onShelf', [request]), Pair.list('onShelf', [request])]);
    for (const page of [ofCode, ofPair]) {
      t.same(
        page?.items.map(({ entity }) => entity?.note),
        ['old'],
        `round ${round}: they lead to no entity`,
      );
    }
  }
  t.equal(await Code.update('ABC', { note: 'new' }), null, 'nor is any changed by that name');
  t.equal(await Pair.update('ABC,1', { note: 'new' }), null);
  t.equal(await Pair.delete('ABC,1'), false);
  await sql`delete from links`;
  t.equal(await Code.delete('ABC'), false);
  t.match(await Code.findById('abc'), { note: 'old' });
  t.match(await Code.update('abc', { note: 'new' }), { id: 'abc', note: 'new' }, 'but by its own');
  t.match(await Pair.update('abc,1', { note: 'new' }), { note: 'new' });
  t.equal(await Code.delete('abc'), true);
  t.equal(await Pair.delete('abc,1'), true);
});
