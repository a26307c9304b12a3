import { pgTable, text } from 'drizzle-orm/pg-core';
import { type Test, t } from 'tap';
import { bigintText, createLarder, entity } from '../../src/index.ts';
import type { Audit } from '../../src/trace/channels.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const words = pgTable('words', { id: bigintText('id').primaryKey(), title: text('title').notNull() });

async function start(t: Test, cache: { selfAuditRate: number; maxStalenessMs: number }) {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  await sql.unsafe(`
    create table words (id bigint primary key, title text not null);
    select cache_outbox_watch('words', 'Word');
    insert into words values (1, 'one')`);
  const larder = await createLarder({
    entities: { Word: entity(words) },
    postgres: { url: database.url },
    redis: { url: redis.url, timeoutMs: REDIS_PATIENCE_MS },
    cache,
  });
  t.teardown(() => larder.close());
  const audits: Audit[] = [];
  larder.channels.audit.subscribe((audit) => audits.push(audit));
  let hits = 0;
  /** Reads by id until a cache answers. */
  const cached = (id: string) =>
    until('caches answer', async () => {
      const { scope } = larder.createContext();
      await larder.repositories.Word.findById(id, scope);
      const isHit = scope.trace.cache.Word?.hits === 1;
      if (isHit) hits += 1;
      return isHit;
    });
  return { database, sql, larder, cached, audits, hits: () => hits };
}

t.test('rows that get other versions when their table is rewritten are not taken for missed', async (t) => {
  const { sql, cached, audits, hits } = await start(t, { selfAuditRate: 1, maxStalenessMs: 2000 });
  await cached('1');
  await sql`alter table words add column token uuid default gen_random_uuid()`;
  await cached('1');
  await until('each answer of a cache was audited', () => audits.length === hits());
  t.same(
    audits,
    audits.map(() => ({ entity: 'Word', consistent: true })),
  );
});

t.test('a TRUNCATE that does not see all rows which it takes away', async (t) => {
  // So long that nothing of it is over in time.
  const { database, sql, larder, cached } = await start(t, { selfAuditRate: 0, maxStalenessMs: 600_000 });
  const other = openSql(t, database);
  await other.begin('isolation level repeatable read', async (transaction) => {
    await transaction`select`;
    await sql`insert into words values (2, 'two')`;
    await cached('2');
    await transaction`truncate words`;
  });
  await until('nothing is there', async () => (await larder.repositories.Word.findById('2')) === null);
});
