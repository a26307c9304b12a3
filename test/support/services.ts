import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import type { Test } from 'tap';
import { type RedisService, startRedis } from '../../src/cli/services/redis.ts';

/** What Postgres itself counted of one kind of statement. */
export interface CountedStatement {
  readonly query: string;
  readonly calls: number;
  readonly rows: number;
}

/** A migrated, empty database for one test. */
export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /**
   * The statements that Postgres ran in this database since it was made or `resetStatements` was called, whoever sent
   * them, BEGIN and COMMIT included, as pg_stat_statements normalises them (`$1` for constants). What servers ask for by themselves is left
   * out: the drainer's looks into the outbox, four a second, and whether Postgres answers, which a busy machine may run after `/readyz` has
   * answered.
   */
  statements(): Promise<CountedStatement[]>;
  /** Waits until the outbox is empty, so that no drainer has more to do. */
  drained(): Promise<void>;
  /** Starts counting anew. */
  resetStatements(): Promise<void>;
}

/** A Redis for one test, with what it counted itself. */
export interface TestRedis extends RedisService {
  /**
   * How often each command ran since the start or `resetCounts`, by lower-case name. Commands inside of Lua scripts count;
   * the upkeep of connections (HELLO, CLIENT, PING …) does not, nor do the heartbeats that each server writes.
   */
  commandCounts(): Promise<Record<string, number>>;
  /** Starts counting anew. */
  resetCounts(): Promise<void>;
}

/**
 * How long a round trip to Redis may take, in milliseconds, where that is not what is tested: on a machine that does other things,
 * too, a tenth of a second passes easily, and then Postgres is asked instead.
 */
export const REDIS_PATIENCE_MS = 10_000;

const ADMIN_URL = 'LARDER_TEST_POSTGRES_URL';
const TEMPLATE = 'LARDER_TEST_TEMPLATE';
const UPKEEP = new Set([
  ...['auth', 'client', 'command', 'config', 'hello', 'info', 'ping', 'quit', 'script', 'select'],
  ...['publish', 'subscribe'],
]);
const OBJECT_IN_USE = '55006';
const CLONE_ATTEMPTS = 20;

/**
 * Makes a database by copying the migrated template of the test run, and drops it when the test ends.
 *
 * @param t the test that the database is for
 * @returns the database
 * @throws when the tests run without the services of the runner
 */
export async function freshDatabase(t: Test): Promise<TestDatabase> {
  const adminUrl = fromRunner(ADMIN_URL);
  const template = fromRunner(TEMPLATE);
  const name = `test_${randomBytes(6).toString('hex')}`;
  // In another database than the one under test, so that nothing done here is counted there.
  const admin = postgres(adminUrl, { max: 1, fetch_types: false, onnotice: () => {} });
  t.teardown(async () => {
    await admin`drop database if exists ${admin(name)} with (force)`;
    await admin.end({ timeout: 5 });
  });
  await clone(admin, name, template);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    name,
    async statements() {
      const rows = await admin<CountedStatement[]>`
        select query, sum(calls)::int as calls, sum(rows)::int as rows
        from pg_stat_statements
        where dbid = (select oid from pg_database where datname = ${name}) and query !~ 'cache_(outbox|domains)' and query <> 'select $1'
        group by query
        order by calls desc, query`;
      return rows.map((row) => ({ ...row }));
    },
    async drained() {
      const sql = postgres(url.href, { max: 1, fetch_types: false });
      for (;;) {
        // A drainer's COMMIT is counted only after what it did can be seen.
        const [row] = await sql`
          select where exists (select from cache_outbox) or exists (
            select from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle')`;
        if (row === undefined) return sql.end();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async resetStatements() {
      await admin`
        select pg_stat_statements_reset(0, (select oid from pg_database where datname = ${name}), 0)`;
    },
  };
}

/** A template must have no connections, and another copy that is being made of it counts as one for a moment. */
async function clone(admin: postgres.Sql, name: string, template: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await admin`create database ${admin(name)} template ${admin(template)}`;
      return;
    } catch (error) {
      const busy = error instanceof postgres.PostgresError && error.code === OBJECT_IN_USE;
      if (!busy || attempt === CLONE_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50 * attempt));
    }
  }
}

/**
 * Starts a Redis for one test, and stops it when the test ends, whatever the test did to it.
 *
 * @param t the test that it is for
 * @param args more of what the command line of redis-server takes
 * @returns the service
 */
export async function freshRedis(t: Test, args: readonly string[] = []): Promise<TestRedis> {
  const service = await startRedis({ args });
  let ownReadings = 0;
  t.teardown(() => service.stop());
  /** A connection each time: one that stays would break loudly when a test kills its Redis. */
  async function ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(service.url, { maxRetriesPerRequest: 1, enableReadyCheck: false });
    redis.on('error', () => {});
    try {
      return await question(redis);
    } finally {
      redis.disconnect();
    }
  }
  const redis: TestRedis = {
    ...service,
    async commandCounts() {
      const info = await ask((redis) => redis.info('commandstats'));
      // Only heartbeats ask for INFO besides these readings and new connections: each is an EVALSHA with an INFO and two SET inside.
      const beats = Number(/^cmdstat_info:calls=(\d+)/m.exec(info)?.[1] ?? 0) - ownReadings;
      ownReadings += 1;
      const counts: Record<string, number> = {};
      for (const [, command = '', calls] of info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
        const [name = ''] = command.split('|');
        const ofBeats = { evalsha: beats, set: 2 * beats }[command] ?? 0;
        const left = Number(calls) - ofBeats;
        if (!UPKEEP.has(name) && left > 0) counts[command] = left;
      }
      return counts;
    },
    async resetCounts() {
      await ask((redis) => redis.config('RESETSTAT'));
      ownReadings = 0;
    },
  };
  // Starting it cost an INFO.
  await redis.resetCounts();
  return redis;
}

function fromRunner(variable: string): string {
  const value = process.env[variable];
  if (value === undefined || value === '') {
    throw new Error(
      `${variable} is not set: these tests need the services of the runner. ` +
        'Run `make check`, or `npx tsx test/run.ts FILE` for one file.',
    );
  }
  return value;
}
