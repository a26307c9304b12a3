import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { postgresAccount } from '../../src/cli/services/account.ts';
import { findOrInstall } from '../../src/cli/services/install.ts';
import { runProgram } from '../../src/cli/services/run-program.ts';
import { portForLater } from './port.ts';
import { until } from './until.ts';

/** What pgbouncer is to do, as it stands in its file. */
export interface PgbouncerOptions {
  /** The file, with `DIRECTORY` for its own and `PORT` for where it listens, on 127.0.0.1. */
  readonly config: string;
  /** Who may come, with passwords: names and passwords by name. */
  readonly users?: Readonly<Record<string, string>>;
}

/** @returns the version of pgbouncer that is here, as one number: 1018 for 1.18 */
export async function pgbouncerVersion(): Promise<number> {
  const { said } = await runProgram(await findOrInstall('pgbouncer'), ['--version'], {});
  const [, major, minor] = /PgBouncer (\d+)\.(\d+)/.exec(said) ?? [];
  if (minor === undefined) throw new Error(`pgbouncer says of its version: ${said}`);
  return Number(major) * 1000 + Number(minor);
}

/**
 * Starts a pgbouncer, and kills it when the test ends.
 *
 * @param t the test that it is for
 * @param options what it is to do
 * @returns the port at which it listens
 */
export async function startPgbouncer(t: Test, { config, users = {} }: PgbouncerOptions): Promise<number> {
  const program = await findOrInstall('pgbouncer');
  const directory = mkdtempSync(join(tmpdir(), 'larder-pgbouncer-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const port = await portForLater();
  const file = join(directory, 'pgbouncer.ini');
  writeFileSync(file, config.replaceAll('DIRECTORY', directory).replaceAll('PORT', String(port)));
  const list = Object.entries(users).map(([name, password]) => `"${name}" "${password}"\n`);
  writeFileSync(join(directory, 'userlist.txt'), list.join(''));
  // It refuses to be root.
  const account = postgresAccount(directory);
  chmodSync(directory, 0o755);
  if (account !== null) chownSync(directory, account.uid, account.gid);
  const child: ChildProcess = spawn(program, [file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(account === null ? {} : { uid: account.uid, gid: account.gid }),
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  t.teardown(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  await until('pgbouncer listens', () => {
    if (child.exitCode !== null) throw new Error(said);
    return said.includes('process up');
  });
  return port;
}
