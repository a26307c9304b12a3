import type { Redis } from 'ioredis';
import type { Test } from 'tap';
import { EntityCache } from '../../../src/cache/entity-cache.ts';
import type { Body } from '../../../src/cache/entry.ts';
import type { Loader } from '../../../src/cache/read-through.ts';
import { RedisTier } from '../../../src/cache/redis/tier.ts';
import { systemClock } from '../../../src/clock.ts';
import type { CacheCounts } from '../../../src/trace/cache-counts.ts';
import { Trace } from '../../../src/trace/trace.ts';
import { freshRedis, REDIS_PATIENCE_MS, type TestRedis } from '../../support/services.ts';
import { openRedis } from '../../support/stores.ts';

const SPACE = { entity: 'Thing', shape: 'abc' };
const PREFIX = 'test:';

export const TTL_MS = 300_000;
export const HEARTBEAT = `${PREFIX}larder:heartbeat`;

/** How one reading went. */
export interface Found {
  readonly found: ReadonlyMap<string, Body | null>;
  readonly counts: CacheCounts;
  readonly redis: Trace['redis'];
}

/** A cache of things in Redis alone, and a look behind it. */
export interface RedisCache {
  readonly redis: TestRedis;
  readonly keys: Redis;
  readonly tier: RedisTier;
  readonly cache: EntityCache;
  /** Reads things by id, or by id and version. */
  read(load: Loader, ...wants: (string | readonly [id: string, version: string])[]): Promise<Found>;
  /** Whether a thing's key has the body of a version; `null` for that of a thing known not to exist. */
  holds(id: string, version: string | null): Promise<boolean>;
}

/**
 * Starts a Redis and opens a cache on it; before each test it is emptied and vouches for what will be in it.
 *
 * @param t the test that it is for
 * @returns the cache
 */
export async function openRedisCache(t: Test): Promise<RedisCache> {
  const redis = await freshRedis(t);
  const keys = openRedis(t, redis);
  const tier = new RedisTier(redis.url, PREFIX, (error) => t.comment(error.message), systemClock, REDIS_PATIENCE_MS);
  t.teardown(() => tier.close());
  if (!(await tier.connected(REDIS_PATIENCE_MS))) throw new Error('No connection to Redis');
  // Without a memory tier and with nobody to tell: what is tested is what stands in Redis.
  const options = {
    memory: null,
    pages: null,
    redis: tier,
    bus: null,
    prefix: PREFIX,
    ttlMs: TTL_MS,
    memoryTtlMs: 1000,
    clock: systemClock,
  };
  const cache = new EntityCache(options);
  t.beforeEach(async () => {
    await keys.flushall();
    await beat(tier, 60_000);
  });
  return {
    redis,
    keys,
    tier,
    cache,
    read: async (load, ...wants) => {
      const trace = new Trace();
      const named = wants.map((want) =>
        typeof want === 'string' ? { id: want, version: null } : { id: want[0], version: want[1] },
      );
      const found = await cache.read(SPACE, named, load, trace);
      return { found, counts: trace.entity('Thing'), redis: trace.redis };
    },
    holds: async (id, version) => {
      const text = (await keys.get(key(id))) ?? '';
      return text.startsWith('{') && (JSON.parse(text) as { version: string | null }).version === version;
    },
  };
}

/**
 * Vouches for what is cached, as the only process of a domain.
 *
 * @param tier the Redis
 * @param ms how long
 * @returns the heartbeat's value
 */
export async function beat(tier: RedisTier, ms: number): Promise<string | null> {
  const { run } = await tier.meet();
  return (await tier.present({ run, generation: '-1', mark: 'domain', previousMark: 'domain' }, ms)).epoch;
}

/**
 * @param id a thing's id
 * @returns its key in Redis
 */
export function key(id: string): string {
  return `${PREFIX}Thing-${id}`;
}

/**
 * @param id a thing's id
 * @param version the version of its row
 * @returns its body
 */
export function thing(id: string, version = '1'): Body {
  return { version, entity: { id, name: `thing ${id} in version ${version}` } };
}

/**
 * @param bodies bodies of things
 * @returns the same by id
 */
export function bodiesOf(...bodies: Body[]): Map<string, Body> {
  return new Map(bodies.map((body) => [(body.entity as { id: string }).id, body]));
}

/**
 * Finds things in the place of Postgres.
 *
 * @param bodies what there is
 * @returns a loader; `asked` has the ids of each reading
 */
export function shelf(...bodies: Body[]): Loader & { readonly asked: string[][] } {
  const asked: string[][] = [];
  const load: Loader = async (ids) => {
    asked.push(ids);
    return new Map([...bodiesOf(...bodies)].filter(([id]) => ids.includes(id)));
  };
  return Object.assign(load, { asked });
}
