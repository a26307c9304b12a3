import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { t } from 'tap';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { outputOf } from '../support/output-of.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { until } from '../support/until.ts';

/** Starts a server as `main` does, but leaves it to the process to end when nothing is left to do. */
const START = `
  const { assemble } = await import('./src/app/assemble.ts');
  const { readConfig } = await import('./src/app/config.ts');
  await assemble(readConfig(process.env)).then(
    () => console.log('serves'),
    (error) => console.log('refused: ' + error.message),
  );`;

t.test('a start that fails half-way leaves nothing open', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const port = String((taken.address() as AddressInfo).port);
  const documents = join(t.testdir({}), 'documents.json');
  writeFileSync(documents, '{"wrong": 1}');

  const cases: Record<string, Readonly<Record<string, string>>> = {
    'a port that is taken': { PORT: port },
    'the port of the metrics taken': { METRICS_PORT: port },
    'a port that is taken, in development': { NODE_ENV: 'development', PORT: port },
    'documents that are not there': { TRUSTED_DOCUMENTS_FILE: `${documents}.none` },
    'documents that are none': { TRUSTED_DOCUMENTS_FILE: documents },
    'a port that is taken, without Redis': { REDIS_URL: '', PORT: port },
    'a port that is taken, and traces': { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', PORT: port },
    'a port that is taken, and a Redis that is not there': { REDIS_URL: 'redis://127.0.0.1:1', PORT: port },
  };
  for (const [what, env] of Object.entries(cases)) {
    const child = spawn(process.execPath, ['--import=tsx', '--input-type=module', '-e', START], {
      cwd: REPOSITORY,
      env: {
        ...{ PATH: process.env.PATH, NODE_ENV: 'production', LOG_LEVEL: 'silent', PORT: '0', METRICS_PORT: '0' },
        ...{ DATABASE_URL: database.url, REDIS_URL: redis.url, ...env },
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const output = outputOf(child);
    // A process that has something open goes on for ever, and the test with it.
    const [code] = await once(child, 'close');
    t.equal(code, 0, `${what}: the process ends by itself`);
    t.match(output(), /^refused: /m, `${what}: and says why`);
  }
  await until('Postgres has no connection of theirs', async () => {
    const [row] =
      await sql`select from pg_stat_activity where application_name like 'larder%' and datname = ${database.name}`;
    return row === undefined;
  });
});
