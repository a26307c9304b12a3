import { systemClock } from '../../clock.ts';
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

/** How a tool connects: it waits for a while, and then gives up. */
export const TOOL: RedisClientOptions = { maxRetriesPerRequest: 1, connectTimeout: 5000, lazyConnect: true };

/**
 * Finds all that has keys, for a tool that looks at each by itself.
 *
 * @param source where Redis is
 * @param prefix put before every key
 * @returns the single Redis, or the masters of the cluster
 * @throws when the nodes of the cluster do not say who they are
 */
export async function holdersOf(source: RedisSource, prefix: string): Promise<Holder[]> {
  try {
    openRedis(source, TOOL).disconnect();
    return [{ source, names: namesAfter(prefix)(), hasSlot: () => true }];
  } catch (error) {
    if (!(error instanceof OfCluster)) throw error;
    const { place } = error;
    const masters = await seekMasters(place, systemClock);
    return masters.map(({ id, address, ranges }) => ({
      source: sourceOfNode(place, address),
      names: namesOfNode(prefix, id, ranges),
      hasSlot: (slot) => hasSlot(ranges, slot),
    }));
  }
}
