import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Ended, runProgram } from './run-program.ts';
import { ServiceError } from './service-error.ts';

/** Waits for other package managers, and asks again where a mirror or the network fails for a moment. */
const PATIENCE = ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=5'];
const UPDATE_ATTEMPTS = 12;
const SHOWN_LINES = 15;

/** In run level 1, Debian does not start the service of a package. */
const NO_SERVICES = { RUNLEVEL: '1' };

/** Directories that not everybody has in PATH. */
const SBIN = ['/usr/sbin', '/usr/local/sbin'];

/**
 * Looks for a program in the directories of PATH.
 *
 * @param names its possible names, the best first
 * @returns its absolute path; `null` when there is none
 */
export function findOnPath(names: readonly string[]): string | null {
  for (const name of names) {
    for (const directory of (process.env.PATH ?? '').split(delimiter)) {
      const file = join(directory, name);
      if (directory !== '' && isExecutable(file)) return file;
    }
  }
  return null;
}

/**
 * @param file the path of a file
 * @returns whether it exists and this process may run it
 */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    // A missing file, or one that may not be run, is an answer and no failure.
    return false;
  }
}

/** @returns whether `installPackage` may be called: this process is root, and there is apt-get of Debian or Ubuntu */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && findOnPath(['apt-get']) !== null;
}

/**
 * Installs a Debian package and what it depends on. Waits for other package managers that are at work.
 *
 * @param name the package
 * @throws when apt-get fails, with the end of what it printed
 */
export async function installPackage(name: string): Promise<void> {
  process.stderr.write(`Installing the package ${name} with apt-get …\n`);
  // apt-get cannot wait for the lock on the package lists by itself.
  for (let attempt = 1; ; attempt += 1) {
    const update = await aptGet(['update', ...PATIENCE]);
    if (update.code === 0) break;
    if (attempt === UPDATE_ATTEMPTS || !/could not get lock/i.test(update.said)) throw failed('update', update.said);
    await sleep(5000);
  }
  const install = await aptGet(['install', '-y', '--no-install-recommends', ...PATIENCE, name]);
  if (install.code !== 0) throw failed(`install ${name}`, install.said);
}

/**
 * Finds a program on PATH or among those of the system's administrator. Otherwise installs the Debian package that has it.
 *
 * @param program the program's name
 * @param name the package, where its name differs
 * @returns the absolute path of the program
 * @throws when there is none and none can be installed; the message says what to do
 */
export async function findOrInstall(program: string, name = program): Promise<string> {
  const find = () => findOnPath([program]) ?? SBIN.map((folder) => join(folder, program)).find(isExecutable) ?? null;
  const found = find();
  if (found !== null) return found;
  const advice = `Install it (\`sudo apt-get install ${name}\`).`;
  if (!canInstall()) throw new ServiceError(`There is no ${program} on PATH. ${advice}`);
  await installPackage(name);
  const installed = find();
  if (installed === null) throw new ServiceError(`The package ${name} brought no program ${program}. ${advice}`);
  return installed;
}

function failed(what: string, said: string): ServiceError {
  return new ServiceError(`\`apt-get ${what}\` failed:\n${said.trim().split('\n').slice(-SHOWN_LINES).join('\n')}`);
}

function aptGet(args: string[]): Promise<Ended> {
  return runProgram('apt-get', args, {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C', ...NO_SERVICES },
  });
}
