import { Redis } from 'ioredis';
import postgres, { type Sql } from 'postgres';
import type { Test } from 'tap';
import type { CountedStatement, TestDatabase, TestRedis } from './services.ts';

/**
 * Connects to a database for the test itself, and ends the connection when the test does.
 *
 * @param t the test that it is for
 * @param database the database
 * @returns a client of one connection; bigints and timestamps come as text in UTC
 */
export function openSql(t: Test, database: Pick<TestDatabase, 'url'>): Sql {
  const sql = postgres(database.url, {
    max: 1,
    onnotice: () => {},
    fetch_types: false,
    connection: { TimeZone: 'UTC', DateStyle: 'ISO, MDY' },
    types: { text: { to: 25, from: [1184], serialize: String, parse: (value: string) => value } },
  });
  t.teardown(() => sql.end({ timeout: 5 }));
  return sql;
}

/**
 * Connects to a Redis for the test itself, and ends the connection when the test does.
 *
 * @param t the test that it is for
 * @param redis the Redis
 * @returns a client
 */
export function openRedis(t: Test, redis: TestRedis): Redis {
  const client = new Redis(redis.url, { maxRetriesPerRequest: 1 });
  // A test may stop its Redis; what is asked of it then fails by itself.
  client.on('error', () => {});
  t.teardown(() => client.disconnect());
  return client;
}

/** What Postgres and Redis counted themselves. */
export interface Counted {
  /** How many statements Postgres ran. */
  readonly sql: number;
  readonly rows: number;
  readonly statements: readonly CountedStatement[];
  /** How many commands Redis ran, those inside of scripts included. */
  readonly commands: number;
  readonly mget: number;
  /** How often Redis was asked or told to set a key, leases and values together. */
  readonly set: number;
}

/**
 * Counts at the stores what happens while something is done. A server must run on them, to empty the outbox before, and
 * nothing else may use them meanwhile.
 *
 * @param stores the stores
 * @param action what is done
 * @returns what it answered and what Postgres and Redis counted
 */
export async function counted<T>(
  stores: { readonly database: TestDatabase; readonly redis: TestRedis | null },
  action: () => Promise<T>,
): Promise<Counted & { answer: T }> {
  await stores.database.drained();
  await Promise.all([stores.database.resetStatements(), stores.redis?.resetCounts()]);
  const answer = await action();
  const [statements, commands = {}] = await Promise.all([stores.database.statements(), stores.redis?.commandCounts()]);
  const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
  return {
    answer,
    sql: sum(statements.map((statement) => statement.calls)),
    rows: sum(statements.map((statement) => statement.rows)),
    statements,
    commands: sum(Object.values(commands)),
    mget: commands.mget ?? 0,
    set: commands.set ?? 0,
  };
}
