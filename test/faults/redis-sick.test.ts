import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { type Test, t } from 'tap';
import { type FaultyProxy, faultyProxy, through } from '../support/faulty-proxy.ts';
import { ownRedis } from '../support/own-stores.ts';
import { until } from '../support/until.ts';
import { PATIENT } from './support/larder.ts';
import { recovers, type Scene, startScene, watch } from './support/scene.ts';

/** A way of being sick. */
interface Sickness {
  readonly name: string;
  readonly fall: (redis: Redis, proxy: FaultyProxy) => unknown;
  readonly mend: (redis: Redis, proxy: FaultyProxy) => unknown;
  /** How many bodies read by id are to be seen that had to come from Postgres. Memory goes on while the bus stands. */
  readonly bypassed: number;
  /** Whether the outbox is emptied meanwhile. */
  readonly drained?: boolean;
}

/** Answers of the right form and the wrong kind, one for each that the real Redis gave in a piece. */
const kinds = [
  ':1\r\n',
  '+OK\r\n',
  '$-1\r\n',
  '*0\r\n',
  '*2\r\n:1\r\n:2\r\n',
  '$3\r\nabc\r\n',
  '-ERR no\r\n',
  '*1\r\n*0\r\n',
];
let kind = 0;
const wrongKind = () => {
  kind += 1;
  return Buffer.from(kinds[kind % kinds.length] as string);
};

const SICKNESSES: readonly Sickness[] = [
  {
    name: 'answers too late',
    fall: (_redis, proxy) => proxy.delay(150),
    mend: (_redis, proxy) => proxy.pass(),
    bypassed: 100,
  },
  {
    name: 'answers late',
    fall: (_redis, proxy) => proxy.delay(30),
    mend: (_redis, proxy) => proxy.pass(),
    bypassed: 0,
  },
  {
    name: 'is swallowed by the network',
    fall: (_redis, proxy) => proxy.hold(),
    mend: (_redis, proxy) => proxy.pass(),
    bypassed: 100,
  },
  {
    name: 'is swallowed by the network until connections break',
    fall: (_redis, proxy) => proxy.hold(),
    mend: (_redis, proxy) => {
      proxy.reset();
      proxy.pass();
    },
    bypassed: 100,
  },
  {
    name: 'answers noise',
    fall: (_redis, proxy) => proxy.garble((real) => randomBytes(real.length)),
    mend: (_redis, proxy) => proxy.pass(),
    bypassed: 100,
  },
  {
    name: 'answers something else',
    fall: (_redis, proxy) => proxy.garble(wrongKind),
    mend: (_redis, proxy) => proxy.pass(),
    bypassed: 100,
  },
  {
    name: 'loses every other answer',
    fall: (_redis, proxy) => {
      let turn = 0;
      proxy.garble((real) => {
        turn += 1;
        return turn % 2 === 0 ? Buffer.alloc(0) : real;
      });
    },
    mend: (_redis, proxy) => proxy.pass(),
    bypassed: 100,
  },
  {
    name: 'begins an answer that does not end',
    fall: (_redis, proxy) => proxy.garble((real) => Buffer.concat([Buffer.from('$500000000\r\n'), real])),
    mend: (_redis, proxy) => proxy.pass(),
    bypassed: 100,
  },
  {
    name: 'answers twice now and then',
    fall: (_redis, proxy) => {
      let turn = 0;
      proxy.garble((real) => {
        turn += 1;
        return turn % 20 === 0 ? Buffer.concat([real, real]) : real;
      });
    },
    mend: (_redis, proxy) => proxy.pass(),
    bypassed: 0,
  },
  {
    name: 'is full',
    fall: (redis) => redis.config('SET', 'maxmemory', '1'),
    mend: (redis) => redis.config('SET', 'maxmemory', '0'),
    bypassed: 20,
    drained: true,
  },
  {
    name: 'became a replica that takes no writes',
    fall: (redis) => redis.replicaof('127.0.0.1', 1),
    mend: (redis) => redis.replicaof('NO', 'ONE'),
    bypassed: 20,
  },
  {
    name: 'lost its replicas and takes no writes',
    fall: (redis) => redis.config('SET', 'min-replicas-to-write', '1'),
    mend: (redis) => redis.config('SET', 'min-replicas-to-write', '0'),
    bypassed: 20,
  },
  {
    name: 'wants a password',
    fall: async (redis) => {
      await redis.config('SET', 'requirepass', 'secret');
      await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    },
    mend: (redis) => redis.config('SET', 'requirepass', ''),
    bypassed: 100,
  },
];

async function fallIll(t: Test, scene: Scene, sickness: Sickness, redis: Redis, proxy: FaultyProxy) {
  const { name } = sickness;
  await sickness.fall(redis, proxy);
  await watch(t, scene, `Redis ${name}`, { answered: 100, bypassed: sickness.bypassed });
  if (sickness.drained) {
    await scene.judge.rest();
    await until('the outbox is empty', async () => (await scene.sql`select from cache_outbox limit 1`).length === 0)
      .then(() => t.pass(`the outbox is emptied while Redis ${name}`))
      .catch((error: Error) => t.fail(error.message));
    scene.judge.write();
  }
  await sickness.mend(redis, proxy);
  await recovers(t, scene, `after Redis ${name}`);
}

t.test('Redis is sick', async (t) => {
  const store = await ownRedis(t);
  const proxy = await faultyProxy(t, store.port);
  const redis = new Redis(store.url);
  t.teardown(() => redis.disconnect());
  const scene = await startScene(t, { redisUrl: through(store.url, proxy), env: PATIENT });
  await recovers(t, scene, 'after the start');
  for (const sickness of SICKNESSES) await t.test(sickness.name, (t) => fallIll(t, scene, sickness, redis, proxy));
  t.notMatch(scene.larder.output(), /INTERNAL_SERVER_ERROR|a request failed/);
});
