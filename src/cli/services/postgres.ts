import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { findFreePort } from './port.ts';
import { identity, POSTGRES_ENV, type PostgresCluster, preparePostgresCluster } from './postgres-cluster.ts';
import { exited, type Guard, guardProcess, stopProcess } from './process.ts';
import { ServiceError } from './service-error.ts';

/** Which Postgres to start, and where. */
export interface PostgresOptions {
  /** Holds the cluster, its password and its log. No other living run may be using it. */
  readonly dataDir: string;
  /** The preferred port. When it is taken or left out, another one is found. */
  readonly port?: number;
  /** Settings of the server, such as `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether `dataDir` stays when the server stops, or when this process ends. */
  readonly persistent: boolean;
}

/** A running Postgres that this process started. It listens on 127.0.0.1 alone. */
export interface PostgresService {
  /** The superuser's URL of the database `postgres`. */
  readonly adminUrl: string;
  readonly port: number;
  readonly pid: number;
  /**
   * @param database the name of a database
   * @returns the superuser's URL of it
   */
  url(database: string): string;
  /**
   * Makes a database.
   *
   * @param name its name
   * @param options `template` names a database to copy, to which nobody may be connected
   */
  createDatabase(name: string, options?: { template?: string }): Promise<void>;
  /** Stops the server; statements under way fail. Calling it twice does no harm. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const START_DEADLINE_MS = 60_000;
const ATTEMPTS = 5;
/** Errors that pass: a port that was free a moment ago, and the last backends of a server that was killed. */
const WORTH_ANOTHER_TRY = /could not bind|Address already in use|pre-existing shared memory block/;

/**
 * Starts a real Postgres from the npm packages, as root or as an ordinary user. It does not outlive this process.
 *
 * @param options where its data is, the port, settings and whether the data stays
 * @returns the service, ready for connections
 * @throws when it does not start, with the end of its log
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresService> {
  const cluster = await preparePostgresCluster(options.dataDir);
  const log = join(options.dataDir, 'postgres.log');
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort(HOST, options.port);
    const child = launch(cluster, options, port, log);
    const pid = child.pid;
    const guard = pid === undefined ? null : guardProcess(pid, options.persistent ? null : options.dataDir);
    const failure = await ready(child, cluster);
    if (failure === null && pid !== undefined) return service(cluster, options, port, pid, child, guard);
    await guard?.release();
    const said = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').slice(-15).join('\n') : '';
    if (attempt === ATTEMPTS || !WORTH_ANOTHER_TRY.test(said)) {
      throw new ServiceError(`Postgres did not start (${failure}). Its log, ${log}, ends with:\n${said}`);
    }
    await sleep(200 * attempt);
  }
}

function launch(cluster: PostgresCluster, options: PostgresOptions, port: number, log: string): ChildProcess {
  const settings = {
    listen_addresses: HOST,
    port: String(port),
    // TCP alone. The path of a socket has at most 107 characters, and a clone may lie deeper.
    unix_socket_directories: '',
    ...options.settings,
  };
  const output = openSync(log, 'w');
  try {
    return spawn(
      cluster.binaries.postgres,
      ['-D', cluster.directory, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      {
        cwd: options.dataDir,
        env: POSTGRES_ENV,
        // Ctrl-C signals the whole group of the terminal. This process decides itself when Postgres stops.
        detached: true,
        // A file, since a broken pipe would break the server when this process is killed.
        stdio: ['ignore', output, output],
        ...identity(cluster.account),
      },
    );
  } finally {
    closeSync(output);
  }
}

/** Postgres writes its state into its lock file, where pg_ctl looks, too. */
async function ready(child: ChildProcess, cluster: PostgresCluster): Promise<string | null> {
  const lockFile = join(cluster.directory, 'postmaster.pid');
  let failure: string | null = null;
  child.once('error', (error) => {
    failure = error.message;
  });
  const deadline = performance.now() + START_DEADLINE_MS;
  while (performance.now() < deadline) {
    await sleep(20);
    if (failure !== null) return failure;
    if (child.exitCode !== null || child.signalCode !== null) return exited(child);
    const lines = existsSync(lockFile) ? readFileSync(lockFile, 'utf8').split('\n') : [];
    if (Number(lines[0]) === child.pid && ['ready', 'standby'].includes(lines[7]?.trim() ?? '')) return null;
  }
  child.kill('SIGKILL');
  return `not ready after ${START_DEADLINE_MS / 1000} s`;
}

function service(
  cluster: PostgresCluster,
  options: PostgresOptions,
  port: number,
  pid: number,
  child: ChildProcess,
  guard: Guard | null,
): PostgresService {
  const url = (database: string) =>
    `postgres://postgres:${cluster.password}@${HOST}:${port}/${encodeURIComponent(database)}`;
  let stopping: Promise<void> | null = null;
  async function stop(): Promise<void> {
    await stopProcess(pid, [
      ['SIGINT', 10_000],
      ['SIGQUIT', 5_000],
      ['SIGKILL', 5_000],
    ]);
    await exited(child);
    await guard?.release();
    if (!options.persistent) rmSync(options.dataDir, { recursive: true, force: true });
  }
  return {
    adminUrl: url('postgres'),
    port,
    pid,
    url,
    async createDatabase(name, { template = 'template1' } = {}) {
      const sql = postgres(url('postgres'), { max: 1, onnotice: () => {} });
      try {
        await sql`create database ${sql(name)} template ${sql(template)}`;
      } finally {
        await sql.end({ timeout: 5 });
      }
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}
