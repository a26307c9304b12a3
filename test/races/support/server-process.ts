import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { exited, guardProcess } from '../../../src/cli/services/process.ts';
import { DEFAULTS } from '../../stage/process.ts';
import { portForLater } from '../../support/port.ts';
import { REDIS_PATIENCE_MS } from '../../support/services.ts';
import { until } from '../../support/until.ts';

/** A real server in a process of its own, spoken to over HTTP. */
export interface ServerProcess {
  /** Sends a document that must succeed, and answers its data. */
  ask<Data>(document: string, variables: object): Promise<Data>;
  /** Ends it with SIGKILL, whatever it is about to do. */
  kill(): Promise<void>;
}

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const HOST = '127.0.0.1';

/**
 * Starts the server as `npm start` does; it is killed when the test ends.
 *
 * @param t the test that it is for
 * @param databaseUrl its Postgres
 * @param redisUrl its Redis
 * @returns the server, ready for requests
 */
export async function startServerProcess(t: Test, databaseUrl: string, redisUrl: string): Promise<ServerProcess> {
  const secret = randomBytes(32).toString('hex');
  const port = await portForLater();
  const child = spawn(process.execPath, ['--import=tsx', 'src/main.ts'], {
    cwd: REPOSITORY,
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      LOG_LEVEL: 'error',
      HOST,
      PORT: String(port),
      METRICS_PORT: '0',
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl,
      JWT_SECRET: secret,
      MAX_STALENESS_MS: String(DEFAULTS.maxStalenessMs),
      MEMORY_TTL_MS: String(DEFAULTS.memoryTtlMs),
      REDIS_TIMEOUT_MS: String(REDIS_PATIENCE_MS),
      // On a busy machine it would refuse what comes.
      MAX_EVENT_LOOP_DELAY_MS: '0',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (child.pid === undefined) throw new Error('The server could not be started.');
  const guard = guardProcess(child.pid, null);
  const kill = async () => {
    child.kill('SIGKILL');
    await exited(child);
    await guard.release();
  };
  t.teardown(kill);
  const url = `http://${HOST}:${port}`;
  // Without Redis it would answer as well, and what it writes then nobody is told of at once.
  const ready = async () => {
    const response = await fetch(`${url}/readyz`).catch(() => null);
    if (!response?.ok) return false;
    const { status, redis } = (await response.json()) as { status?: unknown; redis?: unknown };
    return status === 'ready' && redis === true;
  };
  await until('the server is ready', ready);
  const authorization = `Bearer ${sign({ scope: 'write' }, secret)}`;
  return {
    ask: async <Data>(document: string, variables: object) => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: JSON.stringify({ query: document, variables }),
      });
      const text = await response.text();
      const { data, errors } = JSON.parse(text) as { data?: Data | null; errors?: unknown };
      if (errors !== undefined || data == null) throw new Error(`Expected data, got ${response.status} ${text}`);
      return data;
    },
    kill,
  };
}

/** A bearer token (RFC 7519). */
function sign(claims: object, secret: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}
