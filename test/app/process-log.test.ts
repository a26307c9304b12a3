import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { t } from 'tap';
import { copyRepository } from '../support/copy-repository.ts';
import { outputOf } from '../support/output-of.ts';
import { freshDatabase } from '../support/services.ts';
import { until } from '../support/until.ts';

t.test('a server without the development packages and without NODE_ENV starts, with a log of JSON', async (t) => {
  const database = await freshDatabase(t);
  const child = spawn(process.execPath, ['--import=tsx', 'src/main.ts'], {
    cwd: copyRepository(t, 'pino-pretty'),
    env: { PATH: process.env.PATH, DATABASE_URL: database.url, PORT: '0', METRICS_PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const output = outputOf(child);
  const ended = once(child, 'close');
  await until('it listens or ends', async () => child.exitCode !== null || output().includes('listening at'));
  child.kill('SIGTERM');
  t.strictSame(await ended, [0, null], output());
  for (const line of output().trim().split('\n')) t.type(JSON.parse(line).msg, 'string', line);
});
