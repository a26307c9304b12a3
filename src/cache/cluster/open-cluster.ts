import { errorOf } from '../../reason-of.ts';
import { WrongValue } from '../../wrong-value.ts';
import type { CacheOptions } from '../cache-options.ts';
import type { ClusterPlace } from '../redis/cluster-place.ts';
import { ClusterCache } from './cluster-cache.ts';
import { ClusterNode, type NodeListener, type NodeSettings } from './node.ts';
import { ClusterNodes } from './nodes.ts';
import { seekMasters } from './seek.ts';

/**
 * Opens the cache of a cluster.
 *
 * @param place where the cluster is
 * @param tiers the memory
 * @param settings how long things are kept
 * @param listener told of failures, and of processes that do not acknowledge
 * @returns the cache and the nodes, which are looked for in the background; who opened it closes the nodes
 * @throws {WrongValue} when the prefix would put all keys into one slot
 */
export function openCluster(
  place: ClusterPlace,
  tiers: Pick<CacheOptions, 'memory' | 'pages'>,
  settings: NodeSettings,
  listener: Omit<NodeListener, 'onMoved'>,
): { readonly cache: ClusterCache; readonly nodes: ClusterNodes } {
  if (settings.prefix.includes('{')) {
    throw new WrongValue('the prefix of the cache has a brace: on a cluster all keys would be in one slot');
  }
  const cache = new ClusterCache({ ...tiers, ...settings }, () => nodes);
  const told = { ...listener, onMoved: () => void nodes.look() };
  const tell = (error: unknown) => {
    listener.onError(errorOf(error));
    return null;
  };
  const nodes: ClusterNodes = new ClusterNodes({
    clock: settings.clock,
    seek: () => seekMasters(place, settings.clock).catch(tell),
    make: (view) => {
      try {
        return new ClusterNode(view, place, settings, cache, told);
      } catch (error) {
        return tell(error);
      }
    },
  });
  return { cache, nodes };
}
