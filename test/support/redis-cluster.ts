import { Redis } from 'ioredis';
import type { Test } from 'tap';
import {
  type ClusterServer,
  type RedisCluster,
  type RedisClusterOptions,
  startRedisCluster,
} from '../../src/cli/services/redis-cluster.ts';

/** A cluster for one test. */
export interface TestCluster extends RedisCluster {
  /** A connection to one node, which follows no redirection. */
  client(node: ClusterServer): Redis;
  /**
   * Gives slots from one master to another, with what is in them, as `redis-cli --cluster reshard` does.
   *
   * @param slots the slots, which the one has
   * @param between done for each slot amid its move, when its keys have moved
   */
  move(
    slots: readonly number[],
    from: ClusterServer,
    to: ClusterServer,
    between?: (slot: number) => Promise<void>,
  ): Promise<void>;
}

/**
 * Starts a cluster for one test, and stops it when the test ends.
 *
 * @param t the test that it is for
 * @param options how many nodes
 * @returns the cluster
 */
export async function freshCluster(t: Test, options: RedisClusterOptions = {}): Promise<TestCluster> {
  const cluster = await startRedisCluster(options);
  t.teardown(() => cluster.stop());
  const clients = new Map<string, Redis>();
  const client = ({ id, host, port }: ClusterServer) => {
    const known = clients.get(id);
    if (known !== undefined) return known;
    const made = new Redis({
      host,
      port,
      maxRetriesPerRequest: null,
      ...(options.tls === undefined ? {} : { tls: options.tls.client }),
    });
    made.on('error', () => {});
    clients.set(id, made);
    t.teardown(() => made.disconnect());
    return made;
  };
  return {
    ...cluster,
    client,
    async move(slots, from, to, between = async () => {}) {
      const [source, target] = [client(from), client(to)];
      for (const slot of slots) {
        await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
        await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
        for (;;) {
          const keys = (await source.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
          if (keys.length === 0) break;
          await source.call('MIGRATE', to.host, to.port, '', 0, 5000, 'REPLACE', 'KEYS', ...keys);
        }
        await between(slot);
        await target.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
        await source.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
      }
    },
  };
}
