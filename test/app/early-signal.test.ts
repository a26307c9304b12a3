import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { t } from 'tap';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { outputOf } from '../support/output-of.ts';

for (const [file, code] of [
  ['src/main.ts', 0],
  ['src/cli/migrate.ts', 143],
] as const) {
  t.test(`${file} ends at a signal while it waits for Postgres, by its own will`, async (t) => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket.on('error', () => {}))).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    t.teardown(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const { port } = silent.address() as AddressInfo;
    const child = spawn(process.execPath, ['--import=tsx', file], {
      cwd: REPOSITORY,
      env: {
        ...{ PATH: process.env.PATH, NODE_ENV: 'production', PORT: '0', METRICS_PORT: '0' },
        DATABASE_URL: `postgres://larder@127.0.0.1:${port}/larder?sslmode=disable`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const output = outputOf(child);
    const ended = once(child, 'close');
    await once(silent, 'connection');
    child.kill('SIGTERM');
    // A process that leaves it to Node ends by the signal, which the first process of a container does not.
    t.strictSame(await ended, [code, null], output());
  });
}
