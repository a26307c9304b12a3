import { Redis } from 'ioredis';
import { t } from 'tap';
import { type OwnRedis, ownRedis } from '../support/own-stores.ts';
import { until } from '../support/until.ts';
import { recovers, startScene, watch } from './support/scene.ts';

/**
 * Postgres is well, so that a read waits for Redis alone: 100 ms for each round trip, of which a read of bodies has four,
 * until the breaker opens. The rest is a machine that is shared.
 */
const BOUND_MS = 2000;

const DEGRADED = { status: 200, body: { status: 'degraded', postgres: true, redis: false } };

/** Does something to a Redis of the test's own, from the outside. */
async function tell<T>(redis: Pick<OwnRedis, 'url'>, words: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(redis.url);
  try {
    return await words(client);
  } finally {
    client.disconnect();
  }
}

/** Saves a snapshot. @returns whether it holds all bodies: a reader may just have leased one anew. */
async function savesBodies(client: Redis): Promise<boolean> {
  const read = () => client.mget([1, 2, 3, 4, 5].map((id) => `Campaign-${id}`));
  const before = await read();
  await client.save();
  const after = await read();
  return before.every((text, i) => text?.startsWith('{') && text === after[i]);
}

t.test('Redis is stopped and goes on', async (t) => {
  const redis = await ownRedis(t);
  const scene = await startScene(t, { redisUrl: redis.url });
  await recovers(t, scene, 'after the start', BOUND_MS);
  for (const turn of ['once', 'twice']) {
    redis.kill('SIGSTOP');
    await watch(t, scene, `Redis is stopped ${turn}`, { bypassed: 150, boundMs: BOUND_MS });
    t.match(await scene.larder.get('/readyz'), DEGRADED);
    redis.kill('SIGCONT');
    await recovers(t, scene, `after it was stopped ${turn}`, BOUND_MS);
  }
});

t.test('Redis is killed and comes back', async (t) => {
  const redis = await ownRedis(t);
  const scene = await startScene(t, { redisUrl: redis.url });
  await recovers(t, scene, 'after the start', BOUND_MS);
  for (const turn of ['once', 'twice']) {
    await redis.crash();
    await watch(t, scene, `Redis is killed ${turn}`, { bypassed: 150, boundMs: BOUND_MS });
    t.match(await scene.larder.get('/readyz'), DEGRADED);
    await redis.start();
    await recovers(t, scene, `after it was killed ${turn}`, BOUND_MS);
  }
});

t.test('Redis is not there when the server starts', async (t) => {
  const redis = await ownRedis(t);
  await redis.crash();
  const scene = await startScene(t, { redisUrl: redis.url });
  await watch(t, scene, 'Redis is not there yet', { bypassed: 150, boundMs: BOUND_MS });
  await redis.start();
  await recovers(t, scene, 'after it came', BOUND_MS);
});

for (const how of ['at once', 'after a while'] as const) {
  t.test(`Redis comes back ${how} with what it knew before`, async (t) => {
    const redis = await ownRedis(t);
    const scene = await startScene(t, { redisUrl: redis.url });
    await recovers(t, scene, 'after the start', BOUND_MS);
    for (const turn of ['once', 'twice']) {
      // The rows change all the time, so that what is saved is old before it is loaded.
      await scene.judge.rest();
      await until('all bodies are saved', () => tell(redis, savesBodies));
      scene.judge.write();
      await watch(t, scene, `rows change ${turn}`, { answered: 150, boundMs: BOUND_MS });
      await redis.crash();
      if (how === 'after a while') await watch(t, scene, `it is away ${turn}`, { bypassed: 150, boundMs: BOUND_MS });
      await redis.start();
      await watch(t, scene, `it is back ${turn}`, { answered: 150, boundMs: BOUND_MS });
      await recovers(t, scene, `after it came back ${turn}`, BOUND_MS);
    }
  });
}
