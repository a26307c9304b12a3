import { Redis } from 'ioredis';
import { t } from 'tap';
import { type OwnRedis, ownRedis } from '../support/own-stores.ts';
import { until } from '../support/until.ts';
import { PATIENT } from './support/larder.ts';
import { recovers, type Scene, startScene, watch } from './support/scene.ts';

const DEGRADED = { status: 200, body: { status: 'degraded', postgres: true, redis: false } };

/** What `/readyz` says when it has heard from Postgres, which it asks for a second at most: a busy machine may take longer. */
async function readiness({ larder }: Scene) {
  let said = await larder.get('/readyz');
  await until('/readyz has heard from Postgres', async () => {
    if (said.body.postgres !== true) said = await larder.get('/readyz');
    return said.body.postgres === true;
  });
  return said;
}

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
  const scene = await startScene(t, { redisUrl: redis.url, env: PATIENT });
  await recovers(t, scene, 'after the start');
  for (const turn of ['once', 'twice']) {
    redis.kill('SIGSTOP');
    await watch(t, scene, `Redis is stopped ${turn}`, { bypassed: 150 });
    t.match(await readiness(scene), DEGRADED);
    redis.kill('SIGCONT');
    await recovers(t, scene, `after it was stopped ${turn}`);
  }
});

t.test('Redis is killed and comes back', async (t) => {
  const redis = await ownRedis(t);
  const scene = await startScene(t, { redisUrl: redis.url, env: PATIENT });
  await recovers(t, scene, 'after the start');
  for (const turn of ['once', 'twice']) {
    await redis.crash();
    await watch(t, scene, `Redis is killed ${turn}`, { bypassed: 150 });
    t.match(await readiness(scene), DEGRADED);
    await redis.start();
    await recovers(t, scene, `after it was killed ${turn}`);
  }
});

t.test('Redis is not there when the server starts', async (t) => {
  const redis = await ownRedis(t);
  await redis.crash();
  const scene = await startScene(t, { redisUrl: redis.url, env: PATIENT });
  await watch(t, scene, 'Redis is not there yet', { bypassed: 150 });
  await redis.start();
  await recovers(t, scene, 'after it came');
});

for (const how of ['at once', 'after a while'] as const) {
  t.test(`Redis comes back ${how} with what it knew before`, async (t) => {
    const redis = await ownRedis(t);
    const scene = await startScene(t, { redisUrl: redis.url, env: PATIENT });
    await recovers(t, scene, 'after the start');
    for (const turn of ['once', 'twice']) {
      // The rows change all the time, so that what is saved is old before it is loaded.
      await scene.judge.rest();
      await until('all bodies are saved', () => tell(redis, savesBodies));
      scene.judge.write();
      await watch(t, scene, `rows change ${turn}`, { answered: 150 });
      await redis.crash();
      if (how === 'after a while') await watch(t, scene, `it is away ${turn}`, { bypassed: 150 });
      await redis.start();
      await watch(t, scene, `it is back ${turn}`, { answered: 150 });
      await recovers(t, scene, `after it came back ${turn}`);
    }
  });
}
