import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Teardown } from '../services/local.ts';
import { type PostgresOptions, type PostgresService, startPostgres } from '../services/postgres.ts';
import { startReplica } from '../services/postgres-replica.ts';
import { startRedisCluster } from '../services/redis-cluster.ts';

const DATABASE = 'larder';
const REPLICAS = 2;

/** What may be killed. */
export interface Victim {
  /** What it is, for people. */
  readonly what: string;
  /** Whether nobody else can do what it does. */
  readonly alone: boolean;
  /** Ends it as a crash would, and waits until it is gone. */
  kill(): Promise<void>;
  /** Brings it back at its address. */
  start(): Promise<void>;
}

/** Where the data is, and what the caches share. */
export interface Stores {
  readonly databaseUrl: string;
  readonly replicaUrls: readonly string[];
  readonly redisUrl: string;
  readonly victims: readonly Victim[];
}

/**
 * Starts a Postgres with two streaming replicas, and a Redis Cluster of three masters with a replica each.
 *
 * @param say receives lines for the reader
 * @param teardown gets what stops each thing that was started, as soon as it runs
 * @param proceed called between the steps; it throws when the process has been told to stop
 * @returns where they are, and what may be killed
 */
export async function startStores(
  say: (line: string) => void,
  teardown: Teardown,
  proceed: () => void,
): Promise<Stores> {
  const primary = await postgres('the Postgres primary', true, teardown, startPostgres);
  await primary.service.createDatabase(DATABASE);
  const databaseUrl = primary.service.url(DATABASE);
  say(`Postgres  primary  psql ${databaseUrl}`);
  proceed();
  const replicas: Awaited<ReturnType<typeof postgres>>[] = [];
  while (replicas.length < REPLICAS) {
    const replica = await postgres('a Postgres replica', false, teardown, (options) =>
      startReplica(primary.service, options),
    );
    replicas.push(replica);
    say(`Postgres  replica  psql ${replica.service.url(DATABASE)}`);
    proceed();
  }
  const redis = await redisCluster(teardown);
  say(`Redis     ${redis.url}`);
  proceed();
  return {
    databaseUrl,
    replicaUrls: replicas.map(({ service }) => service.url(DATABASE)),
    redisUrl: redis.url,
    victims: [redis.victim, ...replicas.slice(0, 1).map(({ victim }) => victim), primary.victim],
  };
}

/** Starts a Postgres that comes back with what it had. */
async function postgres(
  what: string,
  alone: boolean,
  teardown: Teardown,
  begin: (options: PostgresOptions) => Promise<PostgresService>,
): Promise<{ readonly service: PostgresService; readonly victim: Victim }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'larder-cluster-'));
  teardown.push(() => rmSync(dataDir, { recursive: true, force: true }));
  const options = { dataDir, persistent: true };
  const service = await begin(options);
  let running = service;
  teardown.push(() => running.stop());
  const victim = {
    what,
    alone,
    async kill() {
      // All of its processes end at once, and nothing is written any more.
      process.kill(running.pid, 'SIGQUIT');
      await running.stop();
    },
    async start() {
      running = await startPostgres({ ...options, port: service.port });
    },
  };
  return { service, victim };
}

/** Starts three masters, of which each has a replica that takes its place. */
async function redisCluster(teardown: Teardown): Promise<{ readonly url: string; readonly victim: Victim }> {
  const cluster = await startRedisCluster({ masters: 3, replicas: 1 });
  teardown.push(() => cluster.stop());
  const [master] = cluster.masters;
  const victim = {
    what: 'a Redis master',
    alone: false,
    async kill() {
      master?.kill('SIGKILL');
    },
    async start() {
      await master?.restart();
    },
  };
  return { url: cluster.url, victim };
}
