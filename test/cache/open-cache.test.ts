import { setTimeout as sleep } from 'node:timers/promises';
import { t } from 'tap';
import { openCache } from '../../src/cache/open-cache.ts';
import { freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
import { openRedis } from '../support/stores.ts';
import { until } from '../support/until.ts';

t.test('what was under way when the cache was closed is no failure', async (t) => {
  const redis = await freshRedis(t);
  const keys = openRedis(t, redis);
  const errors: string[] = [];
  const settings = { redisUrl: redis.url, redisTimeoutMs: REDIS_PATIENCE_MS, prefix: '', ttlMs: 300_000 };
  for (let n = 0; n < 5; n += 1) {
    const { redis: tier, close } = openCache(
      { ...settings, memoryTtlMs: 1000, memoryMaxEntries: 0 },
      (error) => void errors.push(error.message),
    );
    const connected = async () => /name=larder-bus/.test(String(await keys.client('LIST')));
    await until('the bus is connected', connected);
    t.ok(await tier?.connected(REDIS_PATIENCE_MS));
    await close();
    await sleep(20);
  }
  t.same(errors, []);
});
