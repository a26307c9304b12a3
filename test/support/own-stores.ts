import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres, { type Sql } from 'postgres';
import type { Test } from 'tap';
import { type PostgresService, startPostgres } from '../../src/cli/services/postgres.ts';
import { type RedisService, startRedis } from '../../src/cli/services/redis.ts';
import { migrateDatabase } from './migrate-database.ts';
import { portForLater } from './port.ts';

/** A Postgres that a test may do anything to, with a migrated database. */
export interface OwnPostgres {
  readonly url: string;
  readonly port: number;
  /** Sends a signal to the server, of which SIGINT ends it in order and SIGQUIT at once. */
  kill(signal: NodeJS.Signals): void;
  /** Ends it, unless it has ended, and starts it again at the same address. */
  restart(signal?: 'SIGINT' | 'SIGQUIT'): Promise<void>;
  /** Ends it until `restart`. */
  stop(signal?: 'SIGINT' | 'SIGQUIT'): Promise<void>;
  /** The processes that serve Larder. */
  backends(): Promise<number[]>;
  /** Sends a signal to processes of Postgres; those that are gone are left out. */
  signal(pids: readonly number[], signal: 'SIGSTOP' | 'SIGCONT'): void;
  /**
   * Stops processes of Postgres for good, each while it waits for its client and holds no lock. One that was stopped with a lock
   * would keep it, and Postgres has no way of taking it back.
   */
  stopIdle(pids: readonly number[]): Promise<void>;
  /** Copies its files while it is stopped, as a snapshot of its disk would, and answers with where they are. */
  copyFiles(): string;
  /** Starts a server on files that were copied, at another address, or at this one where this server is stopped. */
  startCopy(files: string, where: 'elsewhere' | 'in its place'): Promise<string>;
  /** Opens a connection for the test itself; those of a server that was stopped connect again. */
  connect(): Sql;
}

const DATABASE = 'larder';

/** How long Postgres may take to say what one of its processes does. */
const LOOK_MS = 500;

/**
 * Starts a Postgres of the test's own.
 *
 * @param t the test that it is for
 * @param settings settings of the server
 * @returns the server
 */
export async function ownPostgres(t: Test, settings: Readonly<Record<string, string>> = {}): Promise<OwnPostgres> {
  const dataDir = mkdtempSync(join(tmpdir(), 'larder-faults-'));
  const start = (port: number) =>
    startPostgres({
      dataDir,
      persistent: true,
      // Commits are waited for: those that a crash of Postgres takes back were no commits to begin with.
      settings: { fsync: 'off', full_page_writes: 'off', ...settings },
      port,
    });
  // Nobody shall have it while the server is away.
  let service: PostgresService = await start(await portForLater());
  const { port } = service;
  const stopped = new Set<number>();
  const clients: Sql[] = [];
  const signal = (pids: readonly number[], name: 'SIGSTOP' | 'SIGCONT') => {
    for (const pid of pids) {
      // For the kernel, 0 and what is below are groups: ours, and everybody's.
      if (!(pid > 0)) throw new RangeError(`${pid} is no process of Postgres`);
      if (name === 'SIGSTOP') stopped.add(pid);
      else stopped.delete(pid);
      try {
        process.kill(pid, name);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  };
  const stop = async (how: 'SIGINT' | 'SIGQUIT' = 'SIGINT') => {
    // A server does not end while one of its processes cannot.
    signal([...stopped], 'SIGCONT');
    process.kill(service.pid, how);
    await service.stop();
  };
  t.teardown(async () => {
    signal([...stopped], 'SIGCONT');
    await Promise.all(clients.map((client) => client.end({ timeout: 1 })));
    await service.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  await service.createDatabase(DATABASE);
  const url = service.url(DATABASE);
  await migrateDatabase(url);
  const connect = () => {
    const client = postgres(url, { max: 1, onnotice: () => {}, fetch_types: false, connection: { TimeZone: 'UTC' } });
    clients.push(client);
    return client;
  };
  const observed = async <T>(ask: (client: Sql) => Promise<T>): Promise<T> => {
    const client = postgres(service.adminUrl, { max: 1 });
    try {
      return await ask(client);
    } finally {
      await client.end({ timeout: 1 });
    }
  };
  const isIdle = (pid: number) =>
    observed(async (client) => {
      const [row] = await client<{ idle: boolean }[]>`
        select state = 'idle' and wait_event is not distinct from 'ClientRead' as idle
        from pg_stat_activity where pid = ${pid}`;
      return row?.idle ?? true;
    });
  return {
    url,
    port,
    kill: (name) => void process.kill(service.pid, name),
    restart: async (how) => {
      await stop(how).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ESRCH') throw error;
      });
      service = await start(port);
      if (service.port !== port) throw new Error(`Somebody took port ${port} while Postgres was away.`);
    },
    stop,
    backends: () =>
      observed(async (client) => {
        const rows = await client<{ pid: number }[]>`
          select pid from pg_stat_activity where datname = ${DATABASE} and application_name = 'larder' order by pid`;
        return rows.map((row) => row.pid);
      }),
    signal,
    stopIdle: async (pids) => {
      for (const pid of pids) {
        for (;;) {
          signal([pid], 'SIGSTOP');
          // Who holds what Postgres itself needs lets nobody look, either.
          const looked = isIdle(pid);
          if (await Promise.race([looked, sleep(LOOK_MS, false)])) break;
          signal([pid], 'SIGCONT');
          await looked;
          await sleep(1);
        }
      }
    },
    copyFiles: () => {
      const files = mkdtempSync(join(tmpdir(), 'larder-copy-'));
      t.teardown(() => rmSync(files, { recursive: true, force: true }));
      // With owners and rights: Postgres runs as an account of its own where we are root.
      execFileSync('cp', ['-a', `${dataDir}/.`, files]);
      return files;
    },
    startCopy: async (files, where) => {
      const copy = await startPostgres({
        dataDir: files,
        persistent: true,
        settings: { fsync: 'off', ...settings },
        ...(where === 'in its place' ? { port } : {}),
      });
      t.teardown(() => copy.stop());
      if (where === 'in its place' && copy.port !== port) throw new Error(`Somebody took port ${port}.`);
      return copy.url(DATABASE);
    },
    connect,
  };
}

/** A Redis that a test may do anything to. */
export interface OwnRedis {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  /** Sends it a signal and does not wait. */
  kill(signal: NodeJS.Signals): void;
  /** Ends it at once, until `start`. */
  crash(): Promise<void>;
  /** Starts it again at the same address. */
  start(args?: readonly string[]): Promise<void>;
}

/**
 * Starts a Redis of the test's own, with a directory that outlives it.
 *
 * @param t the test that it is for
 * @param args more of what the command line of redis-server takes
 * @returns the server
 */
export async function ownRedis(t: Test, args: readonly string[] = []): Promise<OwnRedis> {
  const dir = mkdtempSync(join(tmpdir(), 'larder-faults-redis-'));
  let service: RedisService = await startRedis({ dir, args, port: await portForLater() });
  const { port, url } = service;
  t.teardown(async () => {
    await service.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  return {
    url,
    port,
    dir,
    kill: (signal) => service.kill(signal),
    crash: async () => {
      service.kill('SIGKILL');
      await service.stop();
    },
    start: async (more = args) => {
      service = await startRedis({ dir, port, args: more });
      if (service.port !== port) throw new Error(`Somebody took port ${port} while Redis was away.`);
    },
  };
}
