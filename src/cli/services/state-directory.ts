import { createHash } from 'node:crypto';
import { accessSync, chmodSync, constants, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canReach, postgresAccount } from './account.ts';
import { ServiceError } from './service-error.ts';

/** The path of this clone of the repository. */
export const REPOSITORY = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** Only root can write below it, so no other account can plant files there. No timer empties it, unlike /var/tmp. */
export const ROOT_STATE = '/var/lib/larder';

/** Makes the directory below which root keeps what other accounts must be able to read, whatever root's umask is. */
export function makeRootState(): void {
  mkdirSync(ROOT_STATE, { recursive: true });
  chmodSync(ROOT_STATE, 0o755);
}

/**
 * Finds the directory that keeps what `make demo` and `make dev` need again. It is the one that LARDER_STATE_DIR names, or else `.larder`
 * in the repository. When root works where Postgres' account cannot enter, such as /root, it is a directory for this clone below
 * /var/lib/larder.
 *
 * @returns its absolute path; the directory exists
 * @throws when it cannot be made or belongs to another user
 */
export function stateDirectory(): string {
  const chosen = process.env.LARDER_STATE_DIR;
  const directory = chosen ? resolve(chosen) : defaultDirectory();
  try {
    if (directory.startsWith(`${ROOT_STATE}/`)) makeRootState();
    mkdirSync(directory, { recursive: true });
    // Root's umask may be 077, and then Postgres' account could not pass.
    if (process.getuid?.() === 0) chmodSync(directory, 0o755);
    accessSync(directory, constants.W_OK);
  } catch (error) {
    throw new ServiceError(
      `Cannot use ${directory}. Remove it, or run this as the user whom it belongs to: ${(error as Error).message}`,
      { cause: error },
    );
  }
  return directory;
}

function defaultDirectory(): string {
  const local = join(REPOSITORY, '.larder');
  const account = postgresAccount(join(local, 'postgres', 'cluster'));
  if (account === null || canReach(account, REPOSITORY)) return local;
  return join(ROOT_STATE, createHash('sha256').update(REPOSITORY).digest('hex').slice(0, 12));
}
