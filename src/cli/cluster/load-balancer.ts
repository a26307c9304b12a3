import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findOrInstall } from '../services/install.ts';
import type { LarderServer } from './larders.ts';
import { startProgram } from './program.ts';

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
  const haproxy = startProgram({ name: 'HAProxy', command: program, args: ['-db', '-f', file], log });
  try {
    await haproxy.ready(`http://${HOST}:${port}/healthz`, START_DEADLINE_MS);
  } catch (error) {
    await haproxy.stop(GRACE_MS);
    throw error;
  }
  return () => haproxy.stop(GRACE_MS);
}
