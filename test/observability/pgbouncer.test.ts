import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Test, t } from 'tap';
import { postgresAccount } from '../../src/cli/services/account.ts';
import { findOrInstall } from '../../src/cli/services/install.ts';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { portForLater } from '../support/port.ts';
import { freshDatabase } from '../support/services.ts';
import { until } from '../support/until.ts';

/** Starts a pgbouncer in front of a database, and returns the address that leads through it. */
async function startPgbouncer(t: Test, databaseUrl: string, settings: Record<string, string>): Promise<string> {
  const program = await findOrInstall('pgbouncer');
  const directory = mkdtempSync(join(tmpdir(), 'larder-pgbouncer-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const port = await portForLater();
  const { hostname, port: postgresPort, username, password, pathname } = new URL(databaseUrl);
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'any',
    pool_mode: 'transaction',
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
  const target = `host=${hostname} port=${postgresPort} user=${username} password=${password}`;
  const file = join(directory, 'pgbouncer.ini');
  writeFileSync(file, `[databases]\n${pathname.slice(1)} = ${target}\n[pgbouncer]\n${lines.join('\n')}\n`);
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
  return `postgres://${username}:${password}@127.0.0.1:${port}${pathname}`;
}

t.test('what a pooler refuses is named in its words', async (t) => {
  const database = await freshDatabase(t);
  const url = await startPgbouncer(t, database.url, {});
  const child = spawn(process.execPath, ['--import=tsx', 'src/main.ts'], {
    cwd: REPOSITORY,
    env: { ...process.env, NODE_ENV: 'production', DATABASE_URL: url, PORT: '0', METRICS_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const address = () => /listening at (http:\/\/[\d.]+:\d+)/.exec(said)?.[1];
  await until('the server listens', () => address() !== undefined);
  await until('the log names it', () => /08P01[^\n]*unsupported startup parameter: \w+/.test(said));
  const answer = await fetch(`${address()}/graphql?query=%7Bbrands%7BtotalCount%7D%7D`);
  t.equal(answer.status, 503);
  t.match(await (await fetch(`${address()}/readyz`)).json(), { status: 'unavailable', postgres: false });
});
