import type { Redis } from 'ioredis';
import { systemClock } from '../../clock.ts';
import { reasonOf } from '../../reason-of.ts';
import { OfCluster } from '../redis/cluster-place.ts';
import { type Names, namesAfter } from '../redis/heartbeat.ts';
import { openRedis, type RedisClientOptions, type RedisSource, sourceOfNode } from '../redis/source.ts';
import { namesOfNode } from './names.ts';
import { seekMasters } from './seek.ts';
import { hasSlot } from './slots.ts';

/** A Redis that has keys: the only one, or a node of a cluster. */
export interface Holder {
  readonly source: RedisSource;
  /** What its own keys are called. */
  readonly names: Names;
  /** @returns whether it has a slot; a single Redis has all */
  hasSlot(slot: number): boolean;
}

/** Redis does not answer a tool, or refuses what it asks for. */
export class RedisUnavailable extends Error {
  override name = 'RedisUnavailable';

  /** @param cause why */
  constructor(cause: unknown) {
    super(
      `Redis cannot be used (${reasonOf(cause)}).\nStart it, or correct REDIS_URL or the rights of its user, then try again.`,
      { cause },
    );
  }
}

/** How a tool connects: it waits for a while, and then gives up. */
const TOOL: RedisClientOptions = { maxRetriesPerRequest: 1, connectTimeout: 5000, lazyConnect: true };

/**
 * Finds all that has keys, for a tool that looks at each by itself.
 *
 * @param source where Redis is
 * @param prefix put before every key
 * @returns the single Redis, or the masters of the cluster
 * @throws {RedisUnavailable} when the nodes of the cluster do not say who they are
 */
export async function holdersOf(source: RedisSource, prefix: string): Promise<Holder[]> {
  try {
    openRedis(source, TOOL).disconnect();
    return [{ source, names: namesAfter(prefix)(), hasSlot: () => true }];
  } catch (error) {
    if (!(error instanceof OfCluster)) throw error;
    const { place } = error;
    const masters = await seekMasters(place, systemClock).catch((reason: unknown) => {
      throw new RedisUnavailable(reason);
    });
    return masters.map(({ id, address, ranges }) => ({
      source: sourceOfNode(place, address),
      names: namesOfNode(prefix, id, ranges),
      hasSlot: (slot) => hasSlot(ranges, slot),
    }));
  }
}

/**
 * Asks what has keys, by a connection for that alone.
 *
 * @param holder what to ask
 * @param ask what to ask of it
 * @returns what that returns
 * @throws {RedisUnavailable} when it cannot be reached, or does not answer
 */
export async function askHolder<T>({ source }: Holder, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = openRedis(source, TOOL);
  // What ends a connection is told here alone: the commands say only that it is closed.
  let broken: Error | null = null;
  redis.on('error', (error: Error) => {
    broken = error;
  });
  try {
    await redis.connect();
    return await ask(redis);
  } catch (error) {
    throw new RedisUnavailable(broken ?? error);
  } finally {
    redis.disconnect();
  }
}
