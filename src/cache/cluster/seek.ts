import type { Clock } from '../../clock.ts';
import type { ClusterPlace } from '../redis/cluster-place.ts';
import { type NodeView, readSlots } from './view.ts';
import { visit } from './visit.ts';

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
    try {
      return readSlots(await visit(place, seed, clock, (redis) => redis.cluster('SLOTS')), seed.host);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
