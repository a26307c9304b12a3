import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import type { Test } from 'tap';
import { type PostgresService, startPostgres } from '../../src/cli/services/postgres.ts';
import { startReplica } from '../../src/cli/services/postgres-replica.ts';
import { migrateDatabase } from './migrate-database.ts';
import { portForLater } from './port.ts';
import { until } from './until.ts';

/** A streaming replica that a test may do anything to. */
export interface TestReplica {
  readonly url: string;
  /** The way into another of its databases. */
  urlOf(name: string): string;
  /** What logs and figures call it. */
  readonly name: string;
  /** Connected to it. */
  readonly sql: Sql;
  /** Lets it receive what happens at the primary and replay none of it. */
  pause(): Promise<void>;
  /** Lets it replay again, and waits until it has come as far as the primary. */
  resume(): Promise<void>;
  /** Makes it a primary of its own, for good. */
  promote(): Promise<Sql>;
  /** Ends it at once, until `start`. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Notes how far it has come, where a crash takes it back to. */
  checkpoint(): Promise<void>;
  /** Kills it, and starts it again where it was at the checkpoint. It stays there until it is killed and started. */
  crash(): Promise<void>;
}

/** A Postgres of the test's own with replicas, with a migrated database. */
export interface ReplicatedPostgres {
  readonly url: string;
  /** Connected to the primary. */
  readonly sql: Sql;
  readonly replicas: readonly TestReplica[];
  /** Makes another migrated and empty database, which the replicas have, too. None of them may be paused. */
  createDatabase(): Promise<{ readonly url: string; readonly replicaUrls: readonly string[] }>;
}

/** What is to be done when the test ends. */
type Ends = (() => unknown)[];

const DATABASE = 'larder';
const TEMPLATE = 'larder_template';

// Conflicts with what is replayed are decided at once. Only a checkpoint writes to files what was replayed, so that a crash goes back to it.
const SETTINGS = {
  fsync: 'off',
  max_standby_streaming_delay: '0',
  checkpoint_timeout: '1h',
  bgwriter_lru_maxpages: '0',
};

/** Lets a replica replay what it must before it answers, and no commit after that. */
const STAYS_BEHIND = { recovery_min_apply_delay: '1h' };

/**
 * Starts a primary and its replicas, and ends them when the test does.
 *
 * @param t the test that they are for
 * @param count how many replicas
 * @returns the servers; the replicas have the migrated database
 */
export async function replicatedPostgres(t: Test, count: number): Promise<ReplicatedPostgres> {
  // In this order, of which the last is done first: clients, replicas, the primary, their files.
  const ends: Ends = [];
  t.teardown(async () => {
    for (const end of ends.reverse()) await end();
  });
  const primary = await startPostgres({ dataDir: directory(ends), settings: SETTINGS, persistent: true });
  ends.push(() => primary.stop());
  await primary.createDatabase(TEMPLATE);
  await migrateDatabase(primary.url(TEMPLATE));
  await primary.createDatabase(DATABASE, { template: TEMPLATE });
  const url = primary.url(DATABASE);
  const sql = connectTo(ends, url);
  const replicas: TestReplica[] = [];
  for (let i = 0; i < count; i += 1) replicas.push(await testReplica(ends, primary, sql));
  return {
    url,
    sql,
    replicas,
    createDatabase: async () => {
      const name = `test_${randomBytes(6).toString('hex')}`;
      await primary.createDatabase(name, { template: TEMPLATE });
      for (const replica of replicas) await replica.resume();
      return { url: primary.url(name), replicaUrls: replicas.map((replica) => replica.urlOf(name)) };
    },
  };
}

/** PostgreSQL documentation, 26.4.2, Handling Query Conflicts. */
const CONFLICT_WITH_RECOVERY = '40001';

/**
 * Asks a replica for the test itself. What it has cancelled for the sake of what it replays, it is asked again.
 *
 * @param ask sends the question
 * @returns the answer
 * @throws what the replica refuses for another reason
 */
export async function asked<Found>(ask: () => PromiseLike<Found>): Promise<Found> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof postgres.PostgresError) || error.code !== CONFLICT_WITH_RECOVERY) throw error;
    }
  }
}

async function testReplica(ends: Ends, primary: PostgresService, sql: Sql): Promise<TestReplica> {
  const options = { dataDir: directory(ends), settings: SETTINGS, persistent: true, port: await portForLater() };
  let service: PostgresService = await startReplica(primary, options);
  ends.push(() => service.stop());
  const { port } = service;
  const url = service.url(DATABASE);
  const there = connectTo(ends, url);
  const caughtUp = async () => {
    const [{ end = '' } = {}] = await sql<{ end: string }[]>`select pg_current_wal_insert_lsn()::text as end`;
    await until('the replica has come as far as the primary', async () => {
      const [row] = await asked(() => there`select where pg_last_wal_replay_lsn() >= ${end}::pg_lsn`);
      return row !== undefined;
    });
  };
  await caughtUp();
  const kill = async () => {
    process.kill(service.pid, 'SIGQUIT');
    await service.stop();
  };
  const start = async (settings: Readonly<Record<string, string>>) => {
    service = await startPostgres({ ...options, settings });
    if (service.port !== port) throw new Error(`Somebody took port ${port} while the replica was away.`);
  };
  return {
    url,
    urlOf: (name) => service.url(name),
    name: `127.0.0.1:${port}`,
    sql: there,
    pause: async () => {
      await asked(() => there`select pg_wal_replay_pause()`);
      await until('the replica replays nothing', async () => {
        // It stops at the next record.
        await sql`select pg_logical_emit_message(false, 'larder', 'a record', true)`;
        const [row] = await asked(() => there`select where pg_get_wal_replay_pause_state() = 'paused'`);
        return row !== undefined;
      });
    },
    resume: async () => {
      await asked(() => there`select pg_wal_replay_resume()`);
      await caughtUp();
    },
    promote: async () => {
      await asked(() => there`select pg_promote()`);
      return there;
    },
    kill,
    start: async () => {
      await start(SETTINGS);
      await caughtUp();
    },
    checkpoint: async () => {
      // A replica can go back to where the primary had a checkpoint.
      await sql`checkpoint`;
      await caughtUp();
      await asked(() => there`checkpoint`);
    },
    crash: async () => {
      await kill();
      await start({ ...SETTINGS, ...STAYS_BEHIND });
    },
  };
}

function directory(ends: Ends): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'larder-replicated-'));
  ends.push(() => rmSync(dataDir, { recursive: true, force: true }));
  return dataDir;
}

function connectTo(ends: Ends, url: string): Sql {
  const sql = postgres(url, { max: 1, onnotice: () => {}, fetch_types: false, connection: { TimeZone: 'UTC' } });
  ends.push(() => sql.end({ timeout: 1 }));
  return sql;
}
