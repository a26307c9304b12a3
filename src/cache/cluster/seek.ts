import type { Clock } from '../../clock.ts';
import type { ClusterPlace } from '../redis/cluster-place.ts';
import { inTime } from '../redis/in-time.ts';
import { openRedis, sourceOfNode } from '../redis/source.ts';
import { type NodeView, readSlots } from './view.ts';

/** How long a node that may be there is waited for, in milliseconds. */
const SEEK_MS = 1000;

/**
 * Asks the nodes that a place names for the masters of the cluster, one after the other, until one answers.
 *
 * @param place where the cluster is
 * @param clock the time
 * @returns the masters that have slots
 * @throws what the last of them failed with, when none answers
 */
export async function seekMasters(place: ClusterPlace, clock: Clock): Promise<NodeView[]> {
  let failure: unknown;
  for (const seed of place.seeds) {
    const redis = openRedis(sourceOfNode(place, seed), {
      lazyConnect: true,
      connectTimeout: SEEK_MS,
      maxRetriesPerRequest: 0,
      retryStrategy: null,
    });
    // What ends a connection is told here alone: the commands say only that it is closed.
    let broken: Error | null = null;
    redis.on('error', (error: Error) => {
      broken = error;
    });
    try {
      await inTime(clock, SEEK_MS, redis.connect());
      return readSlots(await inTime(clock, SEEK_MS, redis.cluster('SLOTS')), seed.host);
    } catch (error) {
      failure = broken ?? error;
    } finally {
      redis.disconnect();
    }
  }
  throw failure;
}
