import { Redis } from 'ioredis';
import type { Sql } from 'postgres';
import type { Test } from 'tap';
import { assemble } from '../../src/app/assemble.ts';
import { readConfig } from '../../src/app/config.ts';
import type { Clock } from '../../src/clock.ts';
import { knowsColumns } from './columns-known.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS, type TestDatabase, type TestRedis } from './services.ts';
import { openSql } from './stores.ts';

export { type Counted, counted, openRedis, openSql } from './stores.ts';

import { until } from './until.ts';

/** Caches that keep what they hold for longer than a test takes on any machine, for tests that count what caches answer. */
export const LASTING = { MEMORY_TTL_MS: '3600000', MAX_STALENESS_MS: '7200000' };

/** What to start a server on; what is not given is made fresh for the test. */
export interface ServerOptions {
  readonly database?: Pick<TestDatabase, 'url'>;
  /** `null` starts the server without a Redis. */
  readonly redis?: TestRedis | null;
  /** Variables of the environment over those of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** The time; the machine's when it is left out. */
  readonly clock?: Clock;
}

/** An error as it stands in a response. */
export interface AnswerError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly locations?: readonly { line: number; column: number }[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** A response of `/graphql`. */
export interface Answer<Data> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly data?: Data | null;
  readonly errors?: readonly AnswerError[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** The real server in this process, spoken to over HTTP. */
export interface TestServer {
  readonly url: string;
  /** Where `/metrics` is. */
  readonly metricsUrl: string;
  /** Sends a query and answers whatever comes back. */
  query<Data>(document: string, variables?: object, headers?: Record<string, string>): Promise<Answer<Data>>;
  /** Sends a query that must succeed, and answers its data. */
  ask<Data>(document: string, variables?: object): Promise<Data>;
  close(): Promise<void>;
}

/**
 * Starts the server as `main` does, on free ports, and closes it when the test ends.
 *
 * @param t the test that it is for
 * @param options what to start it on
 * @returns the server
 */
export async function openServer(
  t: Test,
  options: {
    database: Pick<TestDatabase, 'url'>;
    redis: TestRedis | null;
    env?: Readonly<Record<string, string>>;
    /** The time; the machine's when it is left out. */
    clock?: Clock;
    /** Whether it never comes to vouch for what is cached. */
    unvouched?: boolean;
  },
): Promise<TestServer> {
  const prefix = options.env?.CACHE_PREFIX ?? '';
  if (options.redis !== null) await withRedis(options.redis, (client) => client.del(`${prefix}larder:heartbeat`));
  const larder = await assemble(
    readConfig({
      // Development prints its log through a worker thread, which each server would start.
      NODE_ENV: 'production',
      INSPECT: 'header',
      // The tests of the limits set their own; the others ask for more than a stranger may, on a busy machine.
      MAX_COST: '1000000',
      LOG_LEVEL: 'silent',
      PORT: '0',
      METRICS_PORT: '0',
      MAX_EVENT_LOOP_DELAY_MS: '0',
      REDIS_TIMEOUT_MS: String(REDIS_PATIENCE_MS),
      // Where that is not what is tested, a statement and a request may take as long as a busy machine needs.
      STATEMENT_TIMEOUT_MS: '30000',
      REQUEST_TIMEOUT_MS: '60000',
      DATABASE_URL: options.database.url,
      ...(options.redis === null ? {} : { REDIS_URL: options.redis.url }),
      ...options.env,
    }),
    undefined,
    options.clock,
  );
  let closing: Promise<void> | null = null;
  const close = () => {
    closing ??= larder.close();
    return closing;
  };
  t.teardown(close);
  if (options.unvouched !== true) {
    // Another server's heartbeat says nothing of this one, which fills nothing before it has joined the domain, and uses no cache before it
    // knows the columns.
    await until('it knows the columns, and has joined the domain or was refused', async () => {
      const response = await fetch(`${larder.url}/readyz`);
      const said = (await response.json()) as { domain: string | null; postgres: boolean; reason?: string };
      const isSettled = options.redis === null || said.domain !== 'joining';
      return isSettled && said.postgres && knowsColumns(said.reason ?? '');
    });
    if (options.redis !== null) await withRedis(options.redis, (client) => vouched(client, prefix));
  }
  const query = async <Data>(document: string, variables?: object, headers: Record<string, string> = {}) => {
    const response = await fetch(`${larder.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query: document, ...(variables === undefined ? {} : { variables }) }),
    });
    const text = await response.text();
    const body = JSON.parse(text) as Pick<Answer<Data>, 'data' | 'errors' | 'extensions'>;
    return { status: response.status, headers: response.headers, text, ...body };
  };
  return {
    url: larder.url,
    metricsUrl: larder.metricsUrl,
    query,
    ask: async <Data>(document: string, variables?: object) => {
      const answer = await query<Data>(document, variables);
      if (answer.errors !== undefined || answer.data == null) {
        throw new Error(`Expected data without errors, got ${answer.status} ${answer.text}\nfor ${document}`);
      }
      return answer.data;
    },
    close,
  };
}

/** Until the drainer's first heartbeat, reads by id go to Postgres; and that beat is a command more than the others. */
async function vouched(client: Redis, prefix: string): Promise<void> {
  await until('the heartbeat', async () => (await client.exists(`${prefix}larder:heartbeat`)) === 1);
}

async function withRedis<T>(redis: TestRedis, action: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(redis.url, { maxRetriesPerRequest: 1 });
  try {
    return await action(client);
  } finally {
    client.disconnect();
  }
}

/** A server with what it stands on. */
export interface TestStack<R extends TestRedis | null> extends TestServer {
  readonly database: TestDatabase;
  /** A connection to the database for the test itself. What it runs is counted like everything else. */
  readonly sql: Sql;
  readonly redis: R;
}

/** A server without Redis, on a fresh database. */
export async function startServer(t: Test, options: ServerOptions & { redis: null }): Promise<TestStack<null>>;
/**
 * Starts the server on a fresh database and a fresh Redis.
 *
 * @param t the test that it is for
 * @param options what to start it on instead
 * @returns the server with its stores
 */
export async function startServer(t: Test, options?: ServerOptions): Promise<TestStack<TestRedis>>;
export async function startServer(t: Test, options: ServerOptions = {}): Promise<TestStack<TestRedis | null>> {
  const [database, redis] = await Promise.all([
    freshDatabase(t),
    options.redis === undefined ? freshRedis(t) : options.redis,
  ]);
  const sql = openSql(t, database);
  const { env = {}, clock } = options;
  const server = await openServer(t, { database, redis, env, ...(clock === undefined ? {} : { clock }) });
  return { ...server, database, sql, redis };
}
