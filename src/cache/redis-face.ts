import { type Clock, sleep } from '../clock.ts';
import type { ClusterNode } from './cluster/node.ts';
import type { ClusterNodes } from './cluster/nodes.ts';
import type { OpenCache } from './open-cache.ts';
import type { RedisTier } from './redis/tier.ts';

/** What is asked of Redis besides bodies, whether it is one or a cluster. */
export interface RedisFace extends Pick<RedisTier, 'takePoints'> {
  /**
   * @param ms how long to wait for the first connection, in milliseconds
   * @returns whether it stands
   */
  connected(ms: number): Promise<boolean>;
  /** @returns whether it answers, all nodes of it */
  ping(): Promise<boolean>;
  /** @returns what is wrong with it although it answers, or with some of its nodes: a line for each */
  problems(): readonly string[];
  /** @returns whether it is not even tried at the moment; of a cluster by node */
  breakerOpen(): boolean | ReadonlyMap<string, boolean>;
}

/**
 * @param opened a cache
 * @param clock the time
 * @returns the Redis that is behind it; `null` where there is none
 */
export function faceOf({ redis, cluster }: Pick<OpenCache, 'redis' | 'cluster'>, clock: Clock): RedisFace | null {
  if (cluster !== null) return faceOfCluster(cluster, clock);
  if (redis === null) return null;
  return {
    takePoints: redis.takePoints.bind(redis),
    connected: redis.connected.bind(redis),
    ping: redis.ping.bind(redis),
    problems: () => (redis.unfit === null ? [] : [redis.unfit]),
    breakerOpen: () => redis.breakerOpen,
  };
}

function faceOfCluster(nodes: ClusterNodes, clock: Clock): RedisFace {
  const problemsOf = ({ label, redis, isFresh }: ClusterNode): string[] => {
    if (redis.unfit !== null) return [`${label}: ${redis.unfit}`];
    return isFresh
      ? []
      : [`The node ${label} of the Redis cluster does not answer: what it has is read from Postgres.`];
  };
  return {
    takePoints: async (bucket, points) => (await nodes.ownerOf(bucket.key)?.redis.takePoints(bucket, points)) ?? null,
    async connected(ms) {
      const deadline = clock.now() + ms;
      const isReady = () => nodes.all.length > 0 && nodes.all.every(({ redis }) => redis.isConnected);
      while (!isReady() && clock.now() < deadline) await sleep(clock, 5);
      return isReady();
    },
    async ping() {
      const answers = await Promise.all(nodes.all.map(({ redis }) => redis.ping()));
      return answers.length > 0 && answers.every((answer) => answer);
    },
    problems() {
      if (nodes.all.length === 0) return ['No node of the Redis cluster answers.'];
      const found = nodes.all.flatMap(problemsOf);
      const { uncovered } = nodes;
      if (uncovered > 0) found.push(`${uncovered} slots of the Redis cluster belong to no node.`);
      return found;
    },
    breakerOpen: () => new Map(nodes.all.map(({ label, redis }) => [label, redis.breakerOpen])),
  };
}
