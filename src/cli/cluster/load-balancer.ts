import { spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findOrInstall } from '../services/install.ts';
import { exited, guardProcess, stopGroup } from '../services/process.ts';
import { ServiceError } from '../services/service-error.ts';
import type { LarderServer } from './larders.ts';

const HOST = '127.0.0.1';
const START_DEADLINE_MS = 30_000;
const GRACE_MS = 5000;

/** What docs/operations.md shows, and GETs that are sent again when a server dies with them: they change nothing. */
const configuration = (servers: readonly LarderServer[], port: number, statsPort: number) => `
defaults
  mode http
  option forwardfor
  option redispatch
  retries 3
  retry-on conn-failure empty-response
  timeout connect 1s
  timeout client 60s
  timeout server 15s

frontend larder
  bind ${HOST}:${port}
  http-request disable-l7-retry unless METH_GET
  default_backend larder

backend larder
  option httpchk GET /readyz
  default-server check inter 1s fall 2 rise 1
${servers.map(({ name, port: at }) => `  server ${name} ${HOST}:${at}`).join('\n')}

frontend stats
  bind ${HOST}:${statsPort}
  stats enable
  stats uri /
`;

/**
 * Starts HAProxy before some servers. It does not outlive this process.
 *
 * @param servers the servers
 * @param port where it takes requests
 * @param statsPort where it shows what it does
 * @param directory where its configuration and its log go
 * @returns what stops it
 * @throws {ServiceError} when it is not there and cannot be installed, or does not start
 */
export async function startLoadBalancer(
  servers: readonly LarderServer[],
  port: number,
  statsPort: number,
  directory: string,
): Promise<() => Promise<void>> {
  const program = await findOrInstall('haproxy');
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(file, configuration(servers, port, statsPort));
  const log = join(directory, 'haproxy.log');
  const output = openSync(log, 'w');
  const child = spawn(program, ['-db', '-f', file], { detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  if (child.pid === undefined) throw new ServiceError('HAProxy could not be started.');
  const guard = guardProcess(-child.pid, null);
  const stop = async () => {
    await stopGroup(child, GRACE_MS);
    await guard.release();
  };
  const deadline = performance.now() + START_DEADLINE_MS;
  while (!(await answers(`http://${HOST}:${port}/healthz`))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await stop();
      throw new ServiceError(`HAProxy does not lead to the servers (${await exited(child)}): see ${log}.`);
    }
    await sleep(100);
  }
  return stop;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status === 200;
  } catch {
    // It does not listen yet.
    return false;
  }
}
