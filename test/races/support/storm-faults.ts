import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULTS } from '../../stage/process.ts';
import type { Random } from './random.ts';
import { count, type StormWorld } from './storm-world.ts';

/** Something that goes wrong, again and again for as long as it may, and then no more. */
export type Fault = (world: StormWorld, random: Random, going: () => boolean) => Promise<void>;

const between = (random: Random, least: number, most: number) => sleep(least + random.below(most - least));

const nothing: Fault = async (_world, _random, going) => {
  while (going()) await sleep(50);
};

const flush: Fault = async (world, random, going) => {
  while (going()) {
    await world.stage.keys.flushall();
    count(world, 'flushes');
    await between(random, 20, 400);
  }
};

/** Redis is full: bodies, leases and heartbeats go as others come. */
const evict: Fault = async (world, random, going) => {
  const { keys } = world.stage;
  const used = Number(/used_memory:(\d+)/.exec(await keys.info('memory'))?.[1]);
  await keys.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await keys.config('SET', 'maxmemory', String(used + 20_000));
  const before = await evicted(world);
  while (going()) {
    await keys.set(`ballast-${random.below(100)}`, 'x'.repeat(random.below(4000))).catch(full);
    await between(random, 1, 10);
  }
  await keys.config('SET', 'maxmemory', '0');
  count(world, 'evictions', (await evicted(world)) - before);
};

async function evicted({ stage }: StormWorld): Promise<number> {
  return Number(/evicted_keys:(\d+)/.exec(await stage.keys.info('stats'))?.[1]);
}

/** Where nothing is left to evict, Redis says so. */
function full(error: Error): void {
  if (!error.message.startsWith('OOM')) throw error;
}

const crash: Fault = async (world, random, going) => {
  const { redis } = world.stage;
  while (going()) {
    await redis.crash();
    await between(random, 0, 500);
    await redis.start('nothing');
    count(world, 'restarts with nothing');
    await between(random, 500, 2000);
  }
};

/** What a snapshot has forgotten, writers were told that all had forgotten: that promise ends with the restart. */
const goBack: Fault = async (world, random, going) => {
  const { redis, history } = world.stage;
  while (going()) {
    await redis.snapshot();
    await between(random, 50, DEFAULTS.maxStalenessMs);
    const over = history.outage();
    await redis.crash();
    await between(random, 0, DEFAULTS.maxStalenessMs);
    await redis.start('snapshot');
    count(world, 'restarts with an old snapshot');
    // Until the snapshot's own heartbeat has ended or was overwritten.
    await sleep(DEFAULTS.maxStalenessMs);
    over();
    await between(random, 100, 1000);
  }
};

const stop: Fault = async (world, random, going) => {
  const { redis } = world.stage;
  while (going()) {
    redis.signal('SIGSTOP');
    await between(random, 20, 1500);
    redis.signal('SIGCONT');
    count(world, 'stops of Redis');
    await between(random, 100, 1000);
  }
};

const cut: Fault = async (world, random, going) => {
  const { keys } = world.stage;
  while (going()) {
    if (random.chance(0.4)) await keys.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    else if (random.chance(0.5)) await keys.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    else world.proxy.cut();
    count(world, 'connections cut');
    await between(random, 20, 500);
  }
};

/** All drainers stop for longer than an answer by id may be old. */
const undrained: Fault = async (world, random, going) => {
  const each = <T>(action: (process: StormWorld['processes'][number]) => T) => world.processes.map(action);
  while (going()) {
    await Promise.all(each(({ larder }) => larder.stopDraining()));
    await between(random, 100, DEFAULTS.maxStalenessMs * 1.5);
    each(({ larder }) => larder.drain());
    count(world, 'pauses of all drainers');
    await between(random, 300, 1000);
  }
};

/** What one process and Redis say to each other takes its time, sometimes longer than a command may take. */
const delay: Fault = async (world, random, going) => {
  while (going()) {
    const most = random.pick([2, 20, 150]);
    world.proxy.delay(() => random.below(most));
    count(world, 'slow spells');
    await between(random, 200, 1000);
  }
  world.proxy.delay(() => 0);
};

/** Every fault, by what happens. */
export const FAULTS = {
  'nothing goes wrong': nothing,
  'everything is flushed': flush,
  'Redis is full': evict,
  'Redis dies and comes back with nothing': crash,
  'Redis dies and comes back as it was': goBack,
  'Redis stops and goes on': stop,
  'connections end': cut,
  'nobody drains': undrained,
  'one process is far from Redis': delay,
} satisfies Record<string, Fault>;
