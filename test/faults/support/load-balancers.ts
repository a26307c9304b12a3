import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { findOrInstall } from '../../../src/cli/services/install.ts';
import { exited } from '../../../src/cli/services/process.ts';
import { REPOSITORY } from '../../../src/cli/services/state-directory.ts';
import { outputOf } from '../../support/output-of.ts';
import { portForLater } from '../../support/port.ts';
import { until } from '../../support/until.ts';

/** A proxy that runs. */
export interface LoadBalancer {
  readonly url: string;
  /** Everything that it wrote so far. */
  output(): string;
}

/** What each program needs around what the documentation says: no root, nothing outside of its directory, and to stay. */
const AROUND = {
  nginx: (config: string, directory: string) =>
    `daemon off; pid ${directory}/pid; error_log stderr warn; worker_processes 2;
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${directory}/${name};`).join(' ')}
${config}}
`,
  haproxy: (config: string) => `global\n  log stderr format raw local0 notice\n${config}`,
} as const;

/**
 * Starts a proxy with the configuration that docs/operations.md shows, and ends it with the test.
 *
 * @param t the test that it is for
 * @param program which proxy
 * @param ports where the four servers are that the configuration names
 * @returns the proxy, which takes connections
 */
export async function startLoadBalancer(
  t: Test,
  program: keyof typeof AROUND,
  ports: readonly number[],
): Promise<LoadBalancer> {
  const binary = await findOrInstall(program);
  const port = await portForLater();
  const documentation = readFileSync(join(REPOSITORY, 'docs', 'operations.md'), 'utf8');
  const [, shown = ''] = new RegExp(`\`\`\`${program}\n([\\s\\S]*?)\`\`\``).exec(documentation) ?? [];
  const config = shown
    .replace(/(listen |bind )\S*8080/, (_, word: string) => `${word}127.0.0.1:${port}`)
    .replace(/10\.0\.0\.(\d):4000/g, (_, number: string) => `127.0.0.1:${ports[Number(number) - 1]}`);
  const directory = mkdtempSync(join(tmpdir(), `larder-${program}-`));
  const file = join(directory, 'config');
  writeFileSync(file, AROUND[program](config, directory));
  const args = program === 'nginx' ? ['-e', 'stderr', '-p', directory, '-c', file] : ['-db', '-f', file];
  const child = spawn(binary, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = outputOf(child);
  t.teardown(async () => {
    child.kill('SIGTERM');
    await exited(child);
    rmSync(directory, { recursive: true, force: true });
  });
  await until(`${program} takes connections`, async () => {
    if (child.exitCode !== null) throw new Error(`${program} ended:\n${output()}`);
    const socket = connect(port, '127.0.0.1');
    const connected = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    return connected;
  });
  return { url: `http://127.0.0.1:${port}`, output };
}
