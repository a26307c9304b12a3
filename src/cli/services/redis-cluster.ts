import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquaint, askNode } from './acquaint.ts';
import { findFreePort } from './port.ts';
import { type RedisService, type RedisTls, startRedis } from './redis.ts';
import type { RedisBinary } from './redis-binary.ts';
import { ServiceError } from './service-error.ts';

/** What kind of cluster to start. */
export interface RedisClusterOptions {
  /** 3 when it is not given, which is the least that can agree on who takes the place of one that is gone. */
  readonly masters?: number;
  /** How many replicas each master has; none when it is not given. */
  readonly replicas?: number;
  /** A node that does not answer for so long is taken for gone, in milliseconds; 1000 when it is not given. */
  readonly nodeTimeoutMs?: number;
  /** More of what the command line of each node takes. */
  readonly args?: readonly string[];
  /** The program; without it, the one on PATH. */
  readonly binary?: RedisBinary;
  /** Certificates, for all that is said to nodes and among them; without them it is plain text. */
  readonly tls?: RedisTls;
}

/** A node of a cluster of our own. */
export interface ClusterServer {
  /** Its id in the cluster. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** Sends it a signal, such as SIGSTOP, SIGCONT or SIGKILL, and does not wait. */
  kill(signal: NodeJS.Signals): void;
  /** Ends it, if it has not ended, and starts it again at the same address, empty. */
  restart(): Promise<void>;
}

/** A running cluster of our own. */
export interface RedisCluster {
  /** Names all masters that it began with. */
  readonly url: string;
  readonly masters: readonly ClusterServer[];
  readonly replicas: readonly ClusterServer[];
  /** Ends all nodes. Twice does no harm. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

/**
 * Starts a private Redis Cluster, whose masters have equal shares of the slots. Where one of them is gone, the others go on with theirs.
 *
 * @param options how many nodes
 * @returns the cluster, of which all nodes know all others
 * @throws when a node does not start, or they do not find each other
 */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicas = 0 } = options;
  const directory = mkdtempSync(join(tmpdir(), 'larder-redis-cluster-'));
  const started: Started[] = [];
  const stop = async () => {
    await Promise.all(started.map((node) => node.stop()));
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    for (let i = 0; i < masters * (1 + replicas); i += 1) {
      started.push(await startNode(join(directory, String(i)), options));
    }
    await acquaint(started, masters, options.tls);
  } catch (error) {
    await stop();
    throw error;
  }
  const hosts = started.slice(0, masters).map(({ host, port }) => `${host}:${port}`);
  return {
    url: `${options.tls === undefined ? 'redis' : 'rediss'}+cluster://${hosts.join(',')}`,
    masters: started.slice(0, masters),
    replicas: started.slice(masters),
    stop,
  };
}

interface Started extends ClusterServer {
  readonly busPort: number;
  stop(): Promise<void>;
}

async function startNode(
  dir: string,
  { nodeTimeoutMs = 1000, args = [], binary, tls }: RedisClusterOptions,
): Promise<Started> {
  const busPort = await portToKeep();
  const cluster = [
    '--cluster-enabled',
    'yes',
    '--cluster-config-file',
    'nodes.conf',
    '--cluster-port',
    String(busPort),
  ];
  const manners = ['--cluster-node-timeout', String(nodeTimeoutMs), '--cluster-require-full-coverage', 'no'];
  const overTls = tls === undefined ? [] : ['--tls-cluster', 'yes', '--tls-replication', 'yes'];
  const start = (port: number): Promise<RedisService> =>
    startRedis({
      dir,
      port,
      ...(binary === undefined ? {} : { binary }),
      ...(tls === undefined ? {} : { tls }),
      args: [...cluster, ...manners, '--repl-diskless-sync-delay', '0', ...overTls, ...args],
    });
  let service = await start(await portToKeep());
  const { port } = service;
  const id = await askNode({ host: HOST, port }, tls, async (redis) => String(await redis.cluster('MYID')));
  return {
    id,
    host: HOST,
    port,
    busPort,
    kill: (signal) => service.kill(signal),
    async restart() {
      await service.stop();
      service = await start(port);
      if (service.port !== port)
        throw new ServiceError(`The port ${port} of a node of the cluster was taken meanwhile.`);
    },
    stop: () => service.stop(),
  };
}

/** A port below what Linux gives to connections, so that it is still free when a node comes back. */
function portToKeep(): Promise<number> {
  return findFreePort(HOST, 10_000 + Math.floor(Math.random() * 22_000));
}
