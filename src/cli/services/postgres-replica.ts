import { chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { type Account, canReach, postgresAccount } from './account.ts';
import { type PostgresOptions, type PostgresService, startPostgres } from './postgres.ts';
import { ServiceError } from './service-error.ts';

/** Files in a data directory that belong to the running server, and not to a copy (PostgreSQL documentation, 26.3.3). */
const LEFT_OUT = /^(postmaster\.(pid|opts)|pgsql_tmp.*|pg_internal\.init.*|standby\.signal|.*\.unfinished)$/;

/** Directories that are empty in a copy. */
const EMPTY = new Set([
  ...['pg_dynshmem', 'pg_notify', 'pg_replslot', 'pg_serial', 'pg_snapshots', 'pg_stat_tmp', 'pg_subtrans', 'pg_wal'],
]);

/** A replica that is running. */
export interface PostgresReplica extends PostgresService {
  /** The name of the primary's replication slot, which keeps what the replica has not received. */
  readonly slot: string;
}

/**
 * Starts a streaming replica of a Postgres on this machine. It copies the primary's files while that runs, and follows it from there.
 * pg_basebackup does the same, but the npm packages lack it.
 *
 * @param primary the primary, started by `startPostgres`
 * @param options where the replica's data is, which must not exist yet, and the other options of `startPostgres`
 * @returns the replica, ready for reading; when it stops, its slot stays at the primary
 * @throws when it cannot be copied or does not start
 */
export async function startReplica(
  primary: Pick<PostgresService, 'adminUrl' | 'port'>,
  options: PostgresOptions,
): Promise<PostgresReplica> {
  const slot = await copyFiles(primary, options.dataDir);
  return { ...(await startPostgres(options)), slot };
}

/** Copies the files of a primary, so that a server may start there and catch up. */
async function copyFiles(
  { adminUrl, port }: Pick<PostgresService, 'adminUrl' | 'port'>,
  dataDir: string,
): Promise<string> {
  const directory = join(dataDir, 'cluster');
  const unfinished = `${directory}.unfinished`;
  const password = decodeURIComponent(new URL(adminUrl).password);
  const account = postgresAccount(directory);
  makeDirectory(dataDir, account);
  if (account !== null && !canReach(account, dataDir)) {
    throw new ServiceError(
      `${account.name}, who runs Postgres, cannot enter ${dataDir}. Choose a directory below /tmp.`,
    );
  }
  writeFile(join(dataDir, 'password'), password, account);
  rmSync(unfinished, { recursive: true, force: true });
  // A backup ends with the session that began it.
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {}, fetch_types: false });
  try {
    const slot = `larder_${process.pid}_${Date.now().toString(36)}_${Math.random().toString(36).slice(2, 8)}`;
    await sql`select pg_create_physical_replication_slot(${slot}, true)`;
    const [{ source = '' } = {}] = await sql<{ source: string }[]>`
      select current_setting('data_directory') as source, pg_backup_start(${slot}, true)`;
    copyInto(source, unfinished, account);
    const [{ label = '' } = {}] = await sql<{ label: string }[]>`select labelfile as label from pg_backup_stop(false)`;
    writeFile(join(unfinished, 'backup_label'), label, account);
    writeFile(join(unfinished, 'standby.signal'), '', account);
    // In a file, since everybody on the machine can read a command line.
    const conninfo = `host=127.0.0.1 port=${port} user=postgres password=${password} application_name=${slot}`;
    const following = `primary_conninfo = '${conninfo}'\nprimary_slot_name = '${slot}'\n`;
    writeFile(join(unfinished, 'postgresql.auto.conf'), following, account);
    renameSync(unfinished, directory);
    return slot;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Copies a directory whose files change and vanish meanwhile. */
function copyInto(source: string, target: string, account: Account | null): void {
  makeDirectory(target, account);
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    if (LEFT_OUT.test(entry.name)) continue;
    const [from, to] = [join(source, entry.name), join(target, entry.name)];
    if (entry.isDirectory() && EMPTY.has(entry.name)) makeDirectory(to, account);
    else if (entry.isDirectory()) copyInto(from, to, account);
    else copyFile(from, to, account);
  }
}

function copyFile(from: string, to: string, account: Account | null): void {
  try {
    copyFileSync(from, to);
  } catch (error) {
    // The replica will remove such a file, too, when it replays the log.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  own(to, account);
}

function writeFile(path: string, text: string, account: Account | null): void {
  writeFileSync(path, text, { mode: 0o600 });
  own(path, account);
}

function makeDirectory(path: string, account: Account | null): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o700);
  own(path, account);
}

function own(path: string, account: Account | null): void {
  if (account !== null) chownSync(path, account.uid, account.gid);
}
