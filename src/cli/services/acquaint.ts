import { Redis } from 'ioredis';
import { comesTrue } from './comes-true.ts';
import type { RedisTls } from './redis.ts';
import { ServiceError } from './service-error.ts';

const SLOTS = 16_384;
const DEADLINE_MS = 30_000;
const POLL_MS = 20;

/** A node that runs, and belongs to no cluster yet. */
interface ClusterNode {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly busPort: number;
}

/**
 * Makes a cluster of nodes: gives the masters equal shares of the slots, lets all know each other, and gives each master its replicas.
 *
 * @param nodes the nodes, masters first
 * @param masters how many of them are masters
 * @param tls certificates; `undefined` for plain text
 * @throws {ServiceError} when there is none, or they do not find each other in time
 * @throws what a node answers that refuses
 */
export async function acquaint(
  nodes: readonly ClusterNode[],
  masters: number,
  tls: RedisTls | undefined,
): Promise<void> {
  const [first, ...others] = nodes;
  if (first === undefined) throw new ServiceError('A cluster has at least one node.');
  for (const [i, node] of nodes.entries()) {
    await askNode(node, tls, async (redis) => {
      await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
      const [from, to] = [Math.floor((i * SLOTS) / masters), Math.floor(((i + 1) * SLOTS) / masters) - 1];
      if (i < masters) await redis.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    });
  }
  for (const { host, port, busPort } of others) {
    await askNode(first, tls, (redis) => redis.call('CLUSTER', 'MEET', host, port, busPort));
  }
  await each(nodes, tls, 'know each other', async (redis) => {
    const known = String(await redis.cluster('NODES'));
    const info = String(await redis.cluster('INFO'));
    return nodes.every(({ id }) => known.includes(id)) && !known.includes('handshake') && /cluster_state:ok/.test(info);
  });
  const replicas = nodes.slice(masters);
  for (const [i, replica] of replicas.entries()) {
    const master = nodes[i % masters] as ClusterNode;
    await askNode(replica, tls, (redis) => redis.call('CLUSTER', 'REPLICATE', master.id));
  }
  await each(replicas, tls, 'replicate', async (redis) =>
    /master_link_status:up/.test(await redis.info('replication')),
  );
  await each(nodes, tls, 'know the replicas', async (redis) => {
    const lines = String(await redis.cluster('NODES'))
      .trim()
      .split('\n');
    return lines.filter((line) => /\bslave\b/.test(line)).length === replicas.length;
  });
}

/** Waits until something is so at each of some nodes. */
async function each(
  nodes: readonly ClusterNode[],
  tls: RedisTls | undefined,
  what: string,
  isSo: (redis: Redis) => Promise<boolean>,
): Promise<void> {
  for (const node of nodes) {
    if (await comesTrue(() => askNode(node, tls, isSo), DEADLINE_MS, POLL_MS)) continue;
    throw new ServiceError(`The nodes of the cluster do not ${what}.`);
  }
}

/**
 * Asks a node by a connection for that alone.
 *
 * @param node where it is
 * @param tls certificates; `undefined` for plain text
 * @param question asks
 * @returns what `question` returns
 * @throws what it throws
 */
export async function askNode<T>(
  { host, port }: { readonly host: string; readonly port: number },
  tls: RedisTls | undefined,
  question: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = new Redis({
    ...{ host, port, maxRetriesPerRequest: 1, enableReadyCheck: false },
    ...(tls === undefined ? {} : { tls: tls.client }),
  });
  // What goes wrong is thrown by the commands.
  redis.on('error', () => {});
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}
