import type { Test } from 'tap';
import { openCache } from '../../src/cache/open-cache.ts';
import type { RedisTier } from '../../src/cache/redis/tier.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { openDatabase } from '../../src/postgres/client.ts';
import type { Storage } from '../../src/repository/storage.ts';
import { REDIS_PATIENCE_MS, type TestDatabase, type TestRedis } from './services.ts';

/** What repositories stand on. */
export interface OpenStorage {
  readonly storage: Storage;
  /** `null` without Redis. */
  readonly tier: RedisTier | null;
}

/**
 * Opens what repositories stand on, and closes it when the test ends. Nobody drains, and what fails in a cache fails the test.
 *
 * @param t the test that it is for
 * @param database the database
 * @param redis the Redis, which has to be there; `null` for none
 * @param memoryMaxEntries how many bodies memory holds
 * @param prefix put before every key
 * @param clock the caches' time
 * @returns the storage
 */
export async function openStorage(
  t: Test,
  database: Pick<TestDatabase, 'url'>,
  redis: TestRedis | null,
  memoryMaxEntries: number,
  prefix = '',
  clock: Clock = systemClock,
): Promise<OpenStorage> {
  const pool = openDatabase({ url: database.url, poolSize: 2, statementTimeoutMs: 60_000 });
  const fail = (error: Error) => t.fail(error.message);
  const settings = {
    redisUrl: redis?.url ?? null,
    redisTimeoutMs: REDIS_PATIENCE_MS,
    prefix,
    ttlMs: 300_000,
    memoryTtlMs: 1000,
    memoryMaxEntries,
  };
  const { cache, redis: tier, close } = openCache(settings, fail, clock);
  t.teardown(async () => {
    await close();
    await pool.close();
  });
  if (redis !== null) t.ok(await tier?.connected(REDIS_PATIENCE_MS), 'Redis is there');
  return { storage: { database: pool, cache, onInvalidationFailed: fail }, tier };
}
