import { mkdtempSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startReplica } from '../../../src/cli/services/postgres-replica.ts';
import { startRedisCluster } from '../../../src/cli/services/redis-cluster.ts';
import { readCursors } from '../check.ts';
import type { Bench } from '../compare.ts';
import { run } from '../load.ts';
import { peerOf } from '../peers.ts';
import { cpuSeconds, cpuSecondsOfChildren } from '../process-time.ts';
import type { Request } from '../queries.ts';
import { type Server, startServer } from '../server.ts';
import { redisUse, STORE_SETTINGS } from '../stores.ts';
import type { Teardown } from '../teardown.ts';
import { requestsOf } from '../traffic.ts';

/** What one request cost, in ms of CPU time. */
export interface Cost {
  readonly perSecond: number;
  readonly errors: number;
  readonly server: number;
  readonly postgres: number;
  readonly redis: number;
}

/** Requests to some servers that share a Postgres and a Redis. */
export interface Servers extends Cost {
  readonly servers: number;
}

/** Requests of which each body came from Redis. */
export interface Nodes extends Cost {
  /** Of each node, for each request. */
  readonly nodes: readonly { readonly commands: number; readonly ms: number }[];
}

/** Requests to a Larder with so many replicas of Postgres. */
export interface Replicas extends Cost {
  readonly replicas: number;
  /** Of all replicas together. */
  readonly replica: number;
}

/** A write through one of several servers. */
export interface Writes extends Cost {
  /** In each server that only hears of it. */
  readonly listener: number;
}

/** What it takes to serve more. */
export interface Scale {
  readonly cores: number;
  readonly connections: number;
  readonly servers: readonly Servers[];
  /** The same by one connection, which shares no statement. */
  readonly lone: Cost;
  readonly byId: Cost;
  readonly nodes: readonly Nodes[];
  readonly replicas: readonly Replicas[];
  readonly writes: Writes;
}

const LARDER = peerOf('larder');
const SERVERS = [1, 2, 4];
const NODES = 3;
const REPLICAS = [0, 2];
/** How many connections write. */
export const WRITERS = 8;
const WARM_UP_SECONDS = 4;
const SECONDS = 4;
/** The Redis database of the first of these servers; those that share one share it. */
const REDIS = 40;
/** Until servers have heard of each other, and replicas are known to be recent. */
const SETTLE_MS = 2500;
const SHARED = { CACHE_PREFIX: 'scale:' };

/**
 * Measures what requests cost on one, two and four servers, on one and three nodes of Redis, and with and without replicas of Postgres. It
 * measures what a write costs processes that only hear of it. Nothing is pinned: on few cores the rates are those of the cores, and the costs
 * are what counts.
 *
 * @param bench what to measure on
 * @param teardown gets what stops what is started
 * @returns the costs
 */
export async function measureScale(bench: Bench, teardown: Teardown): Promise<Scale> {
  const connections = bench.mode.connections;
  const servers: Servers[] = [];
  let lone: Cost | undefined;
  let byId: Cost | undefined;
  let writes: Writes | undefined;
  for (const count of SERVERS) {
    const started = await startLarders(bench, count, REDIS + count, SHARED);
    servers.push({ ...(await cost(bench, started, 'random', connections)), servers: count });
    if (count === 1) {
      lone = await cost(bench, started, 'random', 1);
      byId = await cost(bench, started, 'byId', connections);
    }
    if (count === Math.max(...SERVERS)) writes = await costOfWrites(bench, started);
    for (const server of started) await server.stop();
    bench.say(`  ${count} servers     ${servers.at(-1)?.perSecond.toFixed(0)}/s`);
  }
  if (lone === undefined || byId === undefined || writes === undefined)
    throw new Error('One server and several are measured.');
  return {
    ...{ cores: cpus().length, connections, servers, lone, byId, writes },
    nodes: [await costOnOneNode(bench), await costOnCluster(bench, teardown)],
    replicas: await costWithReplicas(bench, teardown),
  };
}

async function startLarders(
  bench: Bench,
  count: number,
  redis: number | string,
  env: Readonly<Record<string, string>>,
): Promise<Server[]> {
  const { stores, database } = bench;
  const redisUrl = typeof redis === 'number' ? stores.redisUrl(redis) : redis;
  const servers: Server[] = [];
  while (servers.length < count) {
    servers.push(await startServer(LARDER, null, { databaseUrl: stores.databaseUrl(database), redisUrl }, { env }));
  }
  await sleep(SETTLE_MS);
  return servers;
}

/** Puts a load on all servers at once, of which each gets its share of the connections. */
async function load(servers: readonly Server[], requests: readonly Request[][], connections: number, seconds: number) {
  const each = Math.max(1, Math.round(connections / servers.length));
  const outcomes = await Promise.all(servers.map(({ url }) => run({ url, connections: each, seconds, requests })));
  const sum = (pick: (outcome: (typeof outcomes)[number]) => number) =>
    outcomes.reduce((all, one) => all + pick(one), 0);
  return { perSecond: sum((one) => one.perSecond), sent: sum((one) => one.sent), errors: sum((one) => one.errors) };
}

/** What else is counted besides: each figure goes up, and is divided by the requests. */
type Watch = () => Promise<readonly number[]>;

async function cost(
  bench: Bench,
  servers: readonly Server[],
  traffic: 'random' | 'byId',
  connections: number,
  watch: Watch = async () => [],
): Promise<Cost & { readonly watched: readonly number[] }> {
  const { stores, database, pool } = bench;
  const [first] = servers;
  if (first === undefined) throw new Error('Somebody has to be asked.');
  const cursors = await readCursors(first);
  const requests = requestsOf({ peer: LARDER, traffic, pool, cursors, connections, seed: 21 });
  await load(servers, requests, Math.max(connections, WRITERS), WARM_UP_SECONDS);
  const counted = await stores.startCounting(database);
  const [before, watchedBefore] = [cpuOf(servers), await watch()];
  const { perSecond, sent, errors } = await load(servers, requests, connections, SECONDS);
  const [after, watchedAfter] = [cpuOf(servers), await watch()];
  const used = await counted();
  const ms = (seconds: number) => (seconds / sent) * 1000;
  return {
    ...{ perSecond, errors },
    server: ms(after - before),
    postgres: ms(used.postgresCpu),
    redis: ms(used.redisCpu),
    watched: watchedAfter.map((value, i) => (value - (watchedBefore[i] ?? 0)) / sent),
  };
}

function cpuOf(servers: readonly Server[]): number {
  return servers.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
}

/** Writes through the first server; what the others use is what hearing of them takes. */
async function costOfWrites(bench: Bench, servers: readonly Server[]): Promise<Writes> {
  const { stores, database, pool } = bench;
  const [writer, ...listeners] = servers;
  if (writer === undefined) throw new Error('Somebody has to write.');
  const requests: Request[][] = [
    Array.from({ length: 2000 }, (_, i) => {
      const event = String(1 + ((i * 7919) % pool.events));
      return LARDER.dialect.request(
        'mutation',
        { after: null, campaign: '1', event, title: `Renamed ${i}` },
        new Map(),
      );
    }),
  ];
  await load([writer], requests, WRITERS, WARM_UP_SECONDS);
  const idleBefore = cpuOf(listeners);
  await sleep(SECONDS * 1000);
  const idle = cpuOf(listeners) - idleBefore;
  const counted = await stores.startCounting(database);
  const [before, heardBefore] = [cpuOf([writer]), cpuOf(listeners)];
  const { perSecond, sent, errors } = await load([writer], requests, WRITERS, SECONDS);
  await sleep(200);
  const used = await counted();
  const ms = (seconds: number) => (Math.max(0, seconds) / sent) * 1000;
  return {
    ...{ perSecond, errors },
    server: ms(cpuOf([writer]) - before),
    listener: ms(cpuOf(listeners) - heardBefore - idle) / listeners.length,
    postgres: ms(used.postgresCpu),
    redis: ms(used.redisCpu),
  };
}

async function costOnOneNode(bench: Bench): Promise<Nodes> {
  const url = bench.stores.redisUrl(REDIS);
  return costOnNodes(bench, url, [url]);
}

async function costOnCluster(bench: Bench, teardown: Teardown): Promise<Nodes> {
  const cluster = await startRedisCluster({ masters: NODES });
  teardown.push(() => cluster.stop());
  const urls = cluster.masters.map(({ host, port }) => `redis://${host}:${port}`);
  const found = await costOnNodes(bench, cluster.url, urls);
  await cluster.stop();
  return found;
}

/** Random pages of which each body comes from Redis. */
async function costOnNodes(bench: Bench, redisUrl: string, nodes: readonly string[]): Promise<Nodes> {
  const servers = await startLarders(bench, 1, redisUrl, { ...SHARED, MEMORY_MAX_ENTRIES: '0' });
  const watch = async () => {
    const uses = await Promise.all(nodes.map(redisUse));
    return uses.flatMap(({ commands, cpu }) => [commands, cpu]);
  };
  const { watched, ...costs } = await cost(bench, servers, 'random', bench.mode.connections, watch);
  bench.say(`  ${nodes.length} nodes      ${costs.perSecond.toFixed(0)}/s`);
  for (const server of servers) await server.stop();
  const used = nodes.map((_node, i) => ({ commands: watched[2 * i] ?? 0, ms: (watched[2 * i + 1] ?? 0) * 1000 }));
  return { ...costs, nodes: used, redis: used.reduce((sum, { ms }) => sum + ms, 0) };
}

async function costWithReplicas(bench: Bench, teardown: Teardown): Promise<Replicas[]> {
  const { stores, database } = bench;
  const found: Replicas[] = [];
  const replicas: { url: string; pid: number }[] = [];
  for (const count of REPLICAS) {
    while (replicas.length < count) {
      const dataDir = mkdtempSync(join(tmpdir(), 'larder-bench-replica-'));
      const replica = await startReplica(stores.primary, { dataDir, settings: STORE_SETTINGS, persistent: false });
      teardown.push(() => replica.stop());
      replicas.push({ url: replica.url(database), pid: replica.pid });
    }
    const urls = replicas.map(({ url }) => url).join(',');
    const servers = await startLarders(bench, 1, REDIS + 8 + count, { ...SHARED, DATABASE_REPLICA_URLS: urls });
    const watch = async () => replicas.map(({ pid }) => cpuSeconds(pid) + cpuSecondsOfChildren(pid));
    const { watched, ...costs } = await cost(bench, servers, 'random', bench.mode.connections, watch);
    found.push({ ...costs, replicas: count, replica: watched.reduce((sum, seconds) => sum + seconds, 0) * 1000 });
    bench.say(`  ${count} replicas    ${costs.perSecond.toFixed(0)}/s`);
    for (const server of servers) await server.stop();
  }
  return found;
}
