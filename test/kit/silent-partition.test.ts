import { bigint, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { createLarder, entity } from '../../src/index.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const sales = pgTable(
  'sales',
  { number: bigint('number', { mode: 'bigint' }), region: text('region'), note: text('note') },
  ({ number, region }) => [primaryKey({ columns: [number, region] })],
);

t.test('a trigger that is off on one partition is named, and reads by id are never old', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  await sql.unsafe(`
    create table sales (number bigint, region text, note text, primary key (number, region)) partition by list (region);
    create table sales_south partition of sales for values in ('south');
    create table sales_north partition of sales for values in ('north') partition by range (number);
    create table sales_north_0 partition of sales_north for values from (0) to (10);
    insert into sales values (1, 'north', 'old');
    select cache_outbox_watch('sales', 'Sale')`);
  const larder = await createLarder({
    entities: { Sale: entity(sales) },
    postgres: { url: database.url },
    redis: { url: redis.url, timeoutMs: REDIS_PATIENCE_MS },
    // So long that nothing of it is over in time.
    cache: { maxStalenessMs: 600_000, selfAuditRate: 0 },
    logger: { info: () => {}, warn: () => {} },
  });
  t.teardown(() => larder.close());
  const read = async () => {
    const { scope } = larder.createContext();
    const found = await larder.repositories.Sale.findById('1,north', scope);
    return { note: found?.note, statements: scope.trace.sql.statements };
  };
  const cached = () => until('caches answer', async () => (await read()).statements === 0);
  const problems = () => larder.health.problems().join();
  await cached();
  t.equal(problems(), '');

  for (const [how, on] of [
    ['by what the message says', null],
    ['by watching the table again', `select cache_outbox_watch('sales', 'Sale')`],
  ] as const) {
    await sql`alter table sales_north_0 disable trigger user`;
    await until('the partition is named', () => /sales_north_0, a partition of sales/.test(problems()));
    await until('it is cached by its version', async () => (await read()).statements === 1);
    await sql`update sales set note = ${`unheard, then on ${how}`} where number = 1`;
    t.equal((await read()).note, `unheard, then on ${how}`);
    await sql.unsafe(on ?? (/ALTER TABLE .* ENABLE TRIGGER "[^"]*"/.exec(problems())?.[0] as string));
    await cached();
    t.equal(problems(), '', how);
    await sql`update sales set note = ${how} where number = 1`;
    await until('changes are heard of', async () => (await read()).note === how);
  }
});
