import { sql as raw } from 'drizzle-orm';
import { integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import { type Test, t } from 'tap';
import { bigintText, createLarder, entity } from '../../src/index.ts';
import type { Entities } from '../../src/repository/entity.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
import { counted, openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const BOUND_MS = 5000;
const id = () => bigintText('id').primaryKey();
const birds = pgTable('birds', { id: id(), name: text('name').notNull(), seen: integer('seen').notNull().default(0) });
const parts = pgTable('parts', { id: id(), name: text('name').notNull() });
const rare = pgTable('rare_birds', { id: id(), name: text('name').notNull(), label: text('label').notNull() });
const stamped = pgTable('stamped_birds', {
  id: id(),
  name: text('name').notNull(),
  touched: timestamp('touched', { mode: 'string', precision: 6 }),
});

const TABLES = `
  create table birds (id bigint primary key, name text not null, seen int not null default 0);
  insert into birds select i, 'bird ' || i from generate_series(1, 20) i;
  create view rare_birds as select id, name, 'rare ' || name as label from birds where id < 10;
  create view stamped_birds as select id, name, timestamp '2026-01-01' + seen * interval '1 microsecond' as touched from birds;
  create table parts (id bigint primary key, name text not null) partition by range (id);
  create table parts_0 partition of parts for values from (0) to (10);
  create table parts_1 (name text not null, id bigint not null primary key);
  alter table parts attach partition parts_1 for values from (10) to (20);
  insert into parts select i, 'part ' || i from generate_series(1, 19) i`;

async function start<const E extends Entities>(t: Test, entities: E, watch = '') {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  await sql.unsafe(TABLES);
  await sql.unsafe(watch);
  const warnings: string[] = [];
  const open = async (memoryMaxEntries = 1000) => {
    const larder = await createLarder({
      entities,
      postgres: { url: database.url },
      redis: { url: redis.url, timeoutMs: REDIS_PATIENCE_MS },
      cache: { maxStalenessMs: BOUND_MS, memoryMaxEntries, selfAuditRate: 0 },
      logger: { info: () => {}, warn: (fields, message) => warnings.push(`${message}: ${JSON.stringify(fields)}`) },
    });
    t.teardown(() => larder.close());
    return larder;
  };
  return { sql, database, redis, open, warnings };
}

/** The statements that a reading by id takes, and what it finds. */
async function statements<T>(
  larder: {
    createContext(): { readonly scope: { readonly trace: { readonly sql: { readonly statements: number } } } };
  },
  read: (scope: never) => Promise<T>,
): Promise<{ found: T; statements: number }> {
  const { scope } = larder.createContext();
  const found = await read(scope as never);
  return { found, statements: scope.trace.sql.statements };
}

t.test('an entity that is not watched is asked for by its version: one statement, for one or many', async (t) => {
  const { sql, database, redis, open } = await start(t, { Bird: entity(birds, { unwatched: true }) });
  for (const [where, entries] of [
    ['in memory', 1000],
    ['in Redis', 0],
  ] as const) {
    await t.test(where, async (t) => {
      const larder = await open(entries);
      const { Bird } = larder.repositories;
      const stores = { database, redis };
      const ids = ['1', '2', '3', '999', 'x'];
      const names = async () => (await Bird.findByIds(ids)).map((bird) => bird?.name ?? null);
      await until('caches have them', async () => {
        const { scope } = larder.createContext();
        await Bird.findByIds(ids, scope);
        return scope.trace.cache.Bird?.hits === 3;
      });
      const warm = await counted(stores, names);
      t.equal(warm.sql, 1, `warm: ${JSON.stringify(warm.statements)}`);
      t.same(warm.answer, ['bird 1', 'bird 2', 'bird 3', null, null]);
      await sql`update birds set name = 'new ' || id where id in (2, 999)`;
      await sql`delete from birds where id = 3`;
      await sql`insert into birds values (999, 'found')`;
      const changed = await counted(stores, names);
      t.same(changed.answer, ['bird 1', 'new 2', null, 'found', null], 'never stale');
      t.equal(changed.sql, 2, `versions, then what is new: ${JSON.stringify(changed.statements)}`);
      t.equal((await counted(stores, names)).sql, 1);
      const none = await counted(stores, () => Bird.findByIds(['12345', 'x']));
      t.equal(none.sql, 1, 'an id that is not there is not remembered');
      const together = await counted(stores, () => Promise.all(['1', '2', '999'].map((one) => Bird.findById(one))));
      t.equal(together.sql, 1, 'requests of one turn ask together');
      await sql`delete from birds where id = 999`;
      await sql`insert into birds values (3, 'bird 3')`;
      await sql`update birds set name = 'bird ' || id`;
    });
  }

  await t.test('its own writes, and those of a transaction, are read at once', async (t) => {
    const larder = await open();
    const { Bird } = larder.repositories;
    const { scope } = larder.createContext();
    await sql.unsafe(`
      create function again() returns trigger language plpgsql as $$
      begin update birds set seen = seen + 1 where id = new.id; return null; end $$;
      create trigger again after update of name on birds for each row execute function again()`);
    t.equal((await Bird.update('4', { name: 'four' }, scope))?.name, 'four');
    t.match(await Bird.findById('4', scope), { name: 'four', seen: 1 }, 'what a trigger did is seen');
    await larder.transaction(async (tx) => tx.execute(raw`update birds set name = 'vier' where id = 4`), scope);
    t.match(await Bird.findById('4', scope), { name: 'vier', seen: 2 });
    t.equal(await Bird.delete('4', scope), true);
    t.equal(await Bird.findById('4', scope), null);
    await until('and nothing is missing', () => larder.health.problems().length === 0);
  });
});

t.test('a view is read by the version that is named for it', async (t) => {
  const { sql, open } = await start(t, {
    Rare: entity(rare, { unwatched: true, version: raw`${rare}` }),
    Stamped: entity(stamped, { unwatched: true, version: stamped.touched }),
  });
  const larder = await open();
  const { Rare, Stamped } = larder.repositories;
  const needs = { rows: true, entities: true, positions: false, total: false, flags: false };
  const page = { order: 'ID', direction: 'ASC' as const, limit: 3, backward: false, needs };
  const warm = () =>
    until('caches answer', async () => {
      const { found, statements: count } = await statements(larder, (scope) => Rare.findByIds(['1', '2'], scope));
      return count === 1 && found[0] !== null;
    });
  await warm();
  await sql`update birds set name = 'wren' where id = 1`;
  t.equal((await Rare.findById('1'))?.label, 'rare wren');
  const [listed] = await Rare.list('all', [page]);
  t.equal(listed?.items[0]?.entity?.label, 'rare wren');
  t.equal((await Stamped.findById('1'))?.touched, '2026-01-01 00:00:00');
  await sql`update birds set name = 'crow', seen = 3 where id = 1`;
  t.match(await Stamped.findById('1'), { name: 'crow', touched: '2026-01-01 00:00:00.000003' });
  const [stampedPage] = await Stamped.list('all', [page]);
  t.equal(stampedPage?.items[0]?.entity?.name, 'crow');
  await warm();
  await sql`create or replace view stamped_birds as
    select id, upper(name) as name, timestamp '2026-01-01' + seen * interval '1 microsecond' as touched from birds`;
  await until(
    'another view under the same versions is seen',
    async () => (await Stamped.findById('1'))?.name === 'CROW',
  );
});

t.test('without its triggers, an entity is named at the start and never old', async (t) => {
  const { sql, open, warnings } = await start(t, { Bird: entity(birds) });
  const larder = await open();
  const { Bird } = larder.repositories;
  const read = () => statements(larder, (scope) => Bird.findById('1', scope));
  const named =
    /Changes of Bird are not noticed: birds lacks the triggers.*SELECT cache_outbox_watch\('birds', 'Bird'\)/;
  const isNamed = () => larder.health.problems().some((line) => named.test(line));
  await until('it is named where /readyz has it from', isNamed);
  t.match(warnings.join('\n'), named, 'and in the log');
  await until('the body is cached', async () => (await read()).statements === 1);
  await sql`update birds set name = 'new' where id = 1`;
  t.equal((await read()).found?.name, 'new', 'never stale');

  await t.test('and once it is watched, caches answer by id', async () => {
    await sql`select cache_outbox_watch('birds', 'Bird')`;
    await until('no statement is needed', async () => (await read()).statements === 0);
    await until('and nothing is named', () => larder.health.problems().length === 0);
    await sql`update birds set name = 'newer' where id = 1`;
    await until('and changes are heard of', async () => (await read()).found?.name === 'newer');
  });

  await t.test('a trigger that was off while something was written', async () => {
    await until('no statement is needed', async () => (await read()).statements === 0);
    await sql.begin(async (transaction) => {
      await transaction`alter table birds disable trigger user`;
      await transaction`update birds set name = 'unheard' where id = 1`;
      await transaction`alter table birds enable trigger user`;
    });
    await until('it is seen', async () => (await read()).found?.name === 'unheard', BOUND_MS);
  });

  await t.test('a trigger that is gone', async (t) => {
    await sql`drop trigger "cache_outbox_updated_Bird" on birds`;
    await until('it is named', isNamed);
    await until('the body is cached', async () => (await read()).statements === 1);
    await sql`update birds set name = 'late' where id = 1`;
    t.equal((await read()).found?.name, 'late', 'never stale');
  });
});

t.test('rows that come and go with partitions are seen within the bound', async (t) => {
  const { sql, open } = await start(t, { Part: entity(parts) }, `select cache_outbox_watch('parts', 'Part')`);
  const larder = await open();
  const { Part } = larder.repositories;
  const read = (one: string) => statements(larder, (scope) => Part.findById(one, scope));
  const becomes = async (one: string, name: string | undefined, what: string) => {
    const since = performance.now();
    await until(what, async () => {
      const asked = performance.now();
      const isNew = (await read(one)).found?.name === name;
      if (!isNew && asked - since > BOUND_MS) throw new Error(`${what}: old after ${Math.round(asked - since)} ms`);
      return isNew;
    });
  };
  const warm = (one: string) => until('caches answer', async () => (await read(one)).statements === 0);

  await warm('11');
  await sql`alter table parts detach partition parts_1`;
  await becomes('11', undefined, 'what was detached is gone');
  await warm('11');
  await sql`update parts_1 set name = 'changed meanwhile'`;
  await sql`alter table parts attach partition parts_1 for values from (10) to (20)`;
  await becomes('11', 'changed meanwhile', 'what was attached is there');
  await warm('11');
  await sql`update parts_1 set name = 'by its own name' where id = 11`;
  await becomes('11', 'by its own name', 'a partition written to by its own name');
  await warm('21');
  await sql`create table parts_2 partition of parts for values from (20) to (30)`;
  await sql`insert into parts values (21, 'late')`;
  await becomes('21', 'late', 'a partition that came later');
  await warm('21');
  await sql`truncate parts_2`;
  await becomes('21', undefined, 'a partition that came later, and was emptied');
  await warm('1');
  await sql`drop table parts_0`;
  await becomes('1', undefined, 'a partition that was dropped');

  await t.test('and it is written to', async (t) => {
    const { scope } = larder.createContext();
    t.equal((await Part.create({ id: '22', name: 'own' }, scope)).name, 'own');
    t.equal((await Part.findById('22'))?.name, 'own');
    t.equal((await Part.update('22', { name: 'again' }, scope))?.name, 'again');
    await until('it is cached by the version that it has', async () => (await read('22')).statements === 0);
    t.equal((await Part.findById('22', scope))?.name, 'again');
    t.equal(await Part.delete('22', scope), true);
    t.equal(await Part.findById('22'), null);
  });
});
