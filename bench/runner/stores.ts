import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import postgres, { type Sql } from 'postgres';
import { migrateDatabase } from '../../src/app/migrate.ts';
import { seedDatabase } from '../../src/cli/seed.ts';
import { type PostgresService, startPostgres } from '../../src/cli/services/postgres.ts';
import { type RedisService, startRedis } from '../../src/cli/services/redis.ts';
import { findOrInstallRedis } from '../../src/cli/services/redis-binary.ts';
import { ServiceError } from '../../src/cli/services/service-error.ts';
import { addData } from './added-data.ts';
import { cpuSeconds, cpuSecondsOfChildren } from './process-time.ts';
import type { Teardown } from './teardown.ts';

/** How much data. */
export interface DataSize {
  readonly campaigns: number;
  readonly events: number;
}

/** What a run of requests cost the stores. */
export interface StoreUse {
  readonly statements: number;
  readonly redisCommands: number;
  readonly postgresCpu: number;
  /** In seconds, as Redis counts it. */
  readonly redisCpu: number;
}

/** What a Redis was asked since it started, and the CPU time that took, in seconds. */
export interface RedisUse {
  readonly commands: number;
  readonly cpu: number;
}

/** The Postgres and the Redis of one benchmark. */
export interface Stores {
  /** Where replicas of Postgres begin. */
  readonly primary: Pick<PostgresService, 'adminUrl' | 'port'>;
  /** The address of a database. */
  databaseUrl(name: string): string;
  /** The address of a Redis database, so that peers do not meet each other's keys. */
  redisUrl(index: number): string;
  /** Makes a migrated database. */
  createDatabase(name: string): Promise<void>;
  /** Opens a connection for the runner itself; it is closed with the stores. */
  connect(name: string): Sql;
  /** Empties every database of Redis. */
  flushRedis(): Promise<void>;
  /** Ends Redis at once, as a crash would. */
  killRedis(): Promise<void>;
  /** Starts an empty Redis at the same address. */
  reviveRedis(): Promise<void>;
  /** Starts counting; the result tells what was used since. */
  startCounting(name: string): Promise<() => Promise<StoreUse>>;
}

/** How Postgres runs, and each replica of it. */
export const STORE_SETTINGS = {
  shared_buffers: '1GB',
  max_connections: '300',
  max_wal_size: '4GB',
  // Nobody's disk is measured: a commit does not wait for it, for any peer.
  synchronous_commit: 'off',
  // Nor may a vacuum fall into the turn of one peer; the runner vacuums between the rounds.
  autovacuum: 'off',
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track': 'top',
};

const REDIS_ARGS = ['--databases', '64', '--maxmemory', '6gb'];

/** What keeps a connection or looks from outside, and answers no request. */
const UPKEEP = new Set(
  ['auth', 'client', 'command', 'config', 'hello', 'info', 'ping', 'script', 'select', 'flushall'].concat([
    'subscribe',
    'unsubscribe',
  ]),
);

/**
 * Starts a Postgres in a temporary directory and a Redis, both empty.
 *
 * @param teardown gets what stops them
 * @returns the stores
 * @throws when there is no Redis and none can be installed
 */
export async function startStores(teardown: Teardown): Promise<Stores> {
  if ((await findOrInstallRedis()) === null) throw new ServiceError('The bench needs a redis-server: see above.');
  const dataDir = mkdtempSync(join(tmpdir(), 'larder-bench-'));
  const service = await startPostgres({ dataDir, settings: STORE_SETTINGS, persistent: false });
  teardown.push(() => service.stop());
  let redis: RedisService = await startRedis({ args: REDIS_ARGS });
  const { port, url: redisUrl } = redis;
  teardown.push(() => redis.stop());
  const connect = (name: string): Sql => {
    const sql = postgres(service.url(name), { max: 1, onnotice: () => {} });
    teardown.push(() => sql.end({ timeout: 5 }));
    return sql;
  };
  const admin = connect('postgres');
  await admin`create extension pg_stat_statements`;
  const redisClient = async <T>(action: (client: Redis) => Promise<T>): Promise<T> => {
    // A connection for each question: it may be asked of a Redis that was restarted since.
    const client = new Redis(redisUrl);
    try {
      return await action(client);
    } finally {
      client.disconnect();
    }
  };

  const counts = async (name: string): Promise<StoreUse> => {
    const redis = await redisUse(redisUrl);
    const [row] = await admin<[{ calls: string }]>`
      select coalesce(sum(calls), 0)::text as calls from pg_stat_statements
      where dbid = (select oid from pg_database where datname = ${name})`;
    return {
      statements: Number(row.calls),
      redisCommands: redis.commands,
      redisCpu: redis.cpu,
      postgresCpu: cpuSeconds(service.pid) + cpuSecondsOfChildren(service.pid),
    };
  };

  return {
    primary: service,
    databaseUrl: (name) => service.url(name),
    redisUrl: (index) => `${redisUrl}/${index}`,
    connect,
    createDatabase: async (name) => {
      await service.createDatabase(name);
      await migrateDatabase(service.url(name));
    },
    flushRedis: async () => {
      await redisClient((client) => client.flushall());
    },
    killRedis: async () => {
      redis.kill('SIGKILL');
      await redis.stop();
    },
    reviveRedis: async () => {
      redis = await startRedis({ port, args: REDIS_ARGS });
      if (redis.port !== port) throw new Error(`Port ${port} of Redis was taken while it was away.`);
    },
    startCounting: async (name) => {
      const before = await counts(name);
      return async () => {
        const after = await counts(name);
        return {
          statements: after.statements - before.statements,
          redisCommands: after.redisCommands - before.redisCommands,
          postgresCpu: after.postgresCpu - before.postgresCpu,
          redisCpu: after.redisCpu - before.redisCpu,
        };
      };
    },
  };
}

/**
 * Makes a database with the sample data of `npm run db:seed`.
 *
 * @param stores where
 * @param name what it is called
 * @param size how much data
 * @param fresh how many campaigns to add behind a page of heavy ones; neither when absent
 */
export async function seed(stores: Stores, name: string, size: DataSize, fresh?: number): Promise<void> {
  await stores.createDatabase(name);
  await seedDatabase({ url: stores.databaseUrl(name), ...size, seed: 1 });
  const sql = stores.connect(name);
  if (fresh !== undefined) await addData(sql, size, fresh);
  // Nothing is cached yet, so nothing need be dropped for what was just loaded.
  await sql`truncate cache_outbox`;
  await sql`checkpoint`;
  // The load's own vacuum came before its commit was on the disk, since commits do not wait for that. So it could mark no page as visible to
  // all, and each index-only scan would look into the table, for every peer.
  await sql`vacuum analyze`;
}

/**
 * @param url the address of a Redis
 * @returns what it was asked since it started, what keeps connections left aside
 */
export async function redisUse(url: string): Promise<RedisUse> {
  const client = new Redis(url);
  try {
    const [stats, cpu] = [await client.info('commandstats'), await client.info('cpu')];
    const seconds = [...cpu.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)].map(([, value]) => Number(value));
    return { commands: sumCommands(stats), cpu: seconds.reduce((sum, one) => sum + one, 0) };
  } finally {
    client.disconnect();
  }
}

function sumCommands(info: string): number {
  let sum = 0;
  for (const [, name = '', calls] of info.matchAll(/^cmdstat_([^:|]+)[^:]*:calls=(\d+)/gm)) {
    if (!UPKEEP.has(name)) sum += Number(calls);
  }
  return sum;
}
