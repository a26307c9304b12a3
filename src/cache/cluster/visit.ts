import type { Redis } from 'ioredis';
import type { Clock } from '../../clock.ts';
import type { Address, ClusterPlace } from '../redis/cluster-place.ts';
import { inTime } from '../redis/in-time.ts';
import { openRedis, sourceOfNode } from '../redis/source.ts';

/** How long a node that may be there is waited for, in milliseconds. */
const VISIT_MS = 1000;

/**
 * Asks a node of a cluster by a connection for that alone.
 *
 * @param place where the cluster is
 * @param address where the node is, as the cluster says
 * @param clock the time
 * @param ask what to ask
 * @returns what that returns
 * @throws what it throws, or why the node cannot be reached
 */
export async function visit<T>(
  place: ClusterPlace,
  address: Address,
  clock: Clock,
  ask: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = openRedis(sourceOfNode(place, address), {
    lazyConnect: true,
    connectTimeout: VISIT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
  });
  // What ends a connection is told here alone: the commands say only that it is closed.
  let broken: Error | null = null;
  redis.on('error', (error: Error) => {
    broken = error;
  });
  try {
    await inTime(clock, VISIT_MS, redis.connect());
    return await inTime(clock, VISIT_MS, ask(redis));
  } catch (error) {
    throw broken ?? error;
  } finally {
    redis.disconnect();
  }
}
