import type { ClusterNode } from '../cache/cluster/node.ts';
import type { ClusterNodes } from '../cache/cluster/nodes.ts';
import { type DrainerOptions, startDrainer } from './drainer.ts';
import type { Drainer, OutboxStatus } from './drainer-face.ts';

/**
 * Starts a drainer for each node of a cluster, which is a cache domain of its own: what one of them was not told, or a node that takes its
 * place may have missed, is no matter of the others. Where a node is gone, its domain is left behind as that of a Redis that is gone.
 *
 * @param nodes the nodes, which come and go
 * @param options what to work on
 * @returns the drainers as one
 */
export function startNodeDrainers(nodes: ClusterNodes, options: Omit<DrainerOptions, 'cache' | 'redis'>): Drainer {
  const drainers = new Map<ClusterNode, Drainer>();
  const refusals = new Map<string, string>();
  const onRefused = (node: ClusterNode, reason: string | null) => {
    const before = refusals.size;
    if (reason === null) refusals.delete(node.id);
    else refusals.set(node.id, reason);
    if (reason !== null || (before > 0 && refusals.size === 0)) options.onRefused(reason);
  };
  const end = nodes.attend((node) => {
    const { cache, redis } = node;
    const drainer = startDrainer({ ...options, cache, redis, onRefused: (reason) => onRefused(node, reason) });
    drainers.set(node, drainer);
    return async () => {
      drainers.delete(node);
      refusals.delete(node.id);
      await drainer.stop();
    };
  });
  const first = <T>(of: (drainer: Drainer) => T | null): T | null =>
    [...drainers.values()].map(of).find((found) => found !== null) ?? null;
  return {
    status: () => together([...drainers.values()]),
    refused: () => first((drainer) => drainer.refused()),
    problem: () => first((drainer) => drainer.problem()),
    stop: end,
  };
}

/** What waits for the one that waits for most; `null` until all have looked. Each looks while Postgres answers, whether or not its node does. */
function together(drainers: readonly Drainer[]): OutboxStatus | null {
  let whole: OutboxStatus | null = null;
  for (const drainer of drainers) {
    const one = drainer.status();
    if (one === null) return null;
    whole ??= one;
    whole = {
      depth: Math.max(whole.depth, one.depth),
      ageMs: Math.max(whole.ageMs, one.ageMs),
      lookedAt: Math.min(whole.lookedAt, one.lookedAt),
    };
  }
  return whole;
}
