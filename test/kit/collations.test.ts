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

t.test('keys whose collation takes other texts for the same', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  await sql.unsafe(`
    create collation ignoring (provider = icu, locale = 'und-u-ka-shifted-ks-level2', deterministic = false);
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
