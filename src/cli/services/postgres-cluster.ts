import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Account, canReach, postgresAccount } from './account.ts';
import { type PostgresBinaries, preparePostgresBinaries } from './postgres-binaries.ts';
import { commandLine, stopProcess } from './process.ts';
import { runProgram } from './run-program.ts';
import { ServiceError } from './service-error.ts';

/** A data directory that is ready to be served. */
export interface PostgresCluster {
  /** What Postgres calls its data directory. */
  readonly directory: string;
  readonly binaries: PostgresBinaries;
  /** The account that runs Postgres; `null` for this process' own. */
  readonly account: Account | null;
  /** The superuser's password. Every account of the machine can connect to a port of 127.0.0.1. */
  readonly password: string;
}

/** Postgres gets none of the variables (PGDATA, PGPORT, …) that would change what it does. */
export const POSTGRES_ENV = { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' };

/**
 * Makes a Postgres data directory, or finds the one of an earlier run. It stops a server that such a run left behind. No other living run
 * may be using the directory.
 *
 * @param dataDir a directory of Larder's; made when missing
 * @returns the cluster, with no server running on it
 * @throws when the directory cannot be used or initdb fails, with its output
 */
export async function preparePostgresCluster(dataDir: string): Promise<PostgresCluster> {
  const directory = join(dataDir, 'cluster');
  const passwordFile = join(dataDir, 'password');
  const account = postgresAccount(directory);
  const binaries = preparePostgresBinaries(account);
  mkdirSync(dataDir, { recursive: true });
  chmodSync(dataDir, 0o700);
  if (account !== null) {
    chownSync(dataDir, account.uid, account.gid);
    if (!canReach(account, dataDir)) {
      throw new ServiceError(
        `${account.name}, who runs Postgres, cannot enter ${dataDir}. Choose a directory below /tmp.`,
      );
    }
  }
  await stopLeftover(directory);
  if (!existsSync(directory) || !existsSync(passwordFile)) {
    writeFileSync(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 });
    if (account !== null) chownSync(passwordFile, account.uid, account.gid);
    // A killed initdb leaves a directory that looks finished. So the directory has another name until it is.
    const unfinished = `${directory}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    rmSync(directory, { recursive: true, force: true });
    await initialise(binaries, account, dataDir, unfinished, passwordFile);
    renameSync(unfinished, directory);
  }
  return { directory, binaries, account, password: readFileSync(passwordFile, 'utf8') };
}

async function stopLeftover(directory: string): Promise<void> {
  const lockFile = join(directory, 'postmaster.pid');
  if (!existsSync(lockFile)) return;
  const pid = Number(readFileSync(lockFile, 'utf8').split('\n')[0]);
  // The id may belong to another process by now. Only one that names this directory is stopped.
  if (Number.isInteger(pid) && pid > 0 && commandLine(pid)?.includes(directory)) {
    await stopProcess(pid, [
      ['SIGINT', 10_000],
      ['SIGQUIT', 5_000],
    ]);
  }
  // Postgres trusts a dead server's lock file when another process has its id.
  rmSync(lockFile, { force: true });
}

async function initialise(
  binaries: PostgresBinaries,
  account: Account | null,
  cwd: string,
  directory: string,
  passwordFile: string,
): Promise<void> {
  const args = [
    `--pgdata=${directory}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    // One sort order on every machine, whatever locales it has.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-sync',
    '--no-instructions',
  ];
  const options = { cwd, env: POSTGRES_ENV, ...identity(account) };
  const { code, said } = await runProgram(binaries.initdb, args, options);
  if (code !== 0) throw new ServiceError(`initdb could not make ${directory} (exit code ${code}):\n${said.trim()}`);
}

/**
 * The options of `spawn` that make a child run as an account.
 *
 * @param account the account, `null` for ourselves
 * @returns the options
 */
export function identity(account: Account | null): { uid?: number; gid?: number } {
  return account === null ? {} : { uid: account.uid, gid: account.gid };
}
