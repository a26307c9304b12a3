import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { ServiceError } from './service-error.ts';

/** An account of the operating system. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** `postgres` is preferred where it exists. Every Unix has `nobody`, so that no account has to be added. */
const NAMES = ['postgres', 'nobody'];

/**
 * The account to run Postgres as, because Postgres refuses to be root.
 *
 * @param cluster the data directory: one that exists keeps its owner
 * @returns the account, or `null` when we are not root and Postgres runs as ourselves
 * @throws when we are root and no account will do
 */
export function postgresAccount(cluster: string): Account | null {
  if (process.getuid?.() !== 0) return null;
  if (existsSync(cluster)) {
    const { uid, gid } = statSync(cluster);
    if (uid !== 0) return { name: `user ${uid}`, uid, gid };
  }
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of NAMES) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined && Number(uid) !== 0) {
      return { name, uid: Number(uid), gid: Number(gid) };
    }
  }
  throw new ServiceError(
    `Postgres refuses to run as root and there is no account ${NAMES.join(' or ')} to run it as. ` +
      'Run this as an ordinary user, or set DATABASE_URL to a Postgres of your own.',
  );
}

/**
 * Whether an account may open a file or enter a directory, directories above it included.
 *
 * @param account who wants to
 * @param path what to open
 * @returns whether it may, found out by trying as that account
 */
export function canReach(account: Account, path: string): boolean {
  const tried = spawnSync('/bin/sh', ['-c', 'test -r "$1" && { test -f "$1" || test -x "$1"; }', 'sh', path], {
    cwd: '/',
    uid: account.uid,
    gid: account.gid,
  });
  return tried.status === 0;
}
