import { Redis } from 'ioredis';
import type { Test } from 'tap';
import {
  type ClusterServer,
  type RedisCluster,
  type RedisClusterOptions,
  startRedisCluster,
} from '../../src/cli/services/redis-cluster.ts';
import { until } from './until.ts';

/** A cluster for one test. */
export interface TestCluster extends RedisCluster {
  /** A connection to one node, which follows no redirection. */
  client(node: ClusterServer): Redis;
  /** Waits for a node's heartbeat, which may stop for a moment on a busy machine: its key under a prefix. */
  heartbeatOf(node: ClusterServer, prefix?: string): Promise<string>;
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
  /** Begins to move a slot, and moves what is in it. */
  beginMove(slot: number, from: ClusterServer, to: ClusterServer): Promise<void>;
  /** Gives up a move that was begun: what is in the slot comes back. */
  giveUpMove(slot: number, from: ClusterServer, to: ClusterServer): Promise<void>;
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
  const carry = async (slot: number, from: ClusterServer, to: ClusterServer) => {
    for (;;) {
      const keys = (await client(from).call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
      if (keys.length === 0) return;
      await client(from).call('MIGRATE', to.host, to.port, '', 0, 5000, 'REPLACE', 'KEYS', ...keys);
    }
  };
  const beginMove = async (slot: number, from: ClusterServer, to: ClusterServer) => {
    await client(to).call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await client(from).call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    await carry(slot, from, to);
  };
  return {
    ...cluster,
    client,
    async heartbeatOf(node, prefix = '') {
      let key = '';
      await until(`${node.id} has a heartbeat`, async () => {
        [key = ''] = await client(node).keys(`${prefix}larder:heartbeat:*`);
        return key !== '';
      });
      return key;
    },
    beginMove,
    async giveUpMove(slot, from, to) {
      // A master that gives a slot away takes nothing back.
      await client(from).call('CLUSTER', 'SETSLOT', slot, 'STABLE');
      await carry(slot, to, from);
      await client(to).call('CLUSTER', 'SETSLOT', slot, 'STABLE');
    },
    async move(slots, from, to, between = async () => {}) {
      for (const slot of slots) {
        await beginMove(slot, from, to);
        await between(slot);
        for (const node of [to, from]) await client(node).call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
      }
    },
  };
}
