import type { Sql, TransactionSql } from 'postgres';
import type { Trace } from '../trace/trace.ts';
import type { Database } from './client.ts';
import { DatabaseUnavailable, databaseError } from './errors.ts';
import { type Gate, GateClosed } from './gate.ts';
import type { Statement } from './statement.ts';

/** What Postgres' own time limit gets to act in before the connection is given up. */
const GRACE_MS = 250;

/**
 * Runs one statement and counts it.
 *
 * @param database where
 * @param statement what, prepared once per connection
 * @param values the placeholders' values
 * @param trace the request's trace, to which the statement, its rows and its time are added
 * @returns the rows, their values as the driver sends them: bigints and timestamps as text
 * @throws {DatabaseUnavailable} when there is no connection or the time limit passes
 * @throws {ConstraintViolation} when a write breaks a constraint
 */
export async function run<Row extends object>(
  database: Database,
  statement: Statement<Row>,
  values: Record<string, unknown>,
  trace: Trace,
): Promise<Row[]> {
  return guarded(database, statement.name, () => send(database.client, statement, values, trace));
}

/**
 * Runs a statement that reads bodies, of which fewer may be under way. Takes, returns and throws what `run` does.
 */
export async function runBodyRead<Row extends object>(
  database: Database,
  statement: Statement<Row>,
  values: Record<string, unknown>,
  trace: Trace,
): Promise<Row[]> {
  await enter(database, database.bodyGate, statement.name);
  try {
    return await run(database, statement, values, trace);
  } finally {
    database.bodyGate.leave();
  }
}

/** Runs statements of a transaction; as `run`, but within it. */
export type RunInTransaction = <Row extends object>(
  statement: Statement<Row>,
  values: Record<string, unknown>,
) => Promise<Row[]>;

/**
 * Does some statements in one transaction, which is rolled back when any of them, or `work` itself, fails.
 *
 * @param database where
 * @param name what the transaction is called in figures
 * @param work the statements
 * @param trace the request's trace
 * @returns what `work` returns, committed
 * @throws as `run` does, and what `work` throws
 */
export async function transaction<T>(
  database: Database,
  name: string,
  work: (run: RunInTransaction) => Promise<T>,
  trace: Trace,
): Promise<T> {
  return guarded(database, name, async () => {
    // BEGIN and COMMIT are statements too; the driver does not say when they are sent, but they are what is left.
    const started = performance.now();
    let ending = '';
    let ended = started;
    try {
      const result = await database.client.begin(async (sql) => {
        trace.statement('begin', '', [], started, 0);
        ending = 'rollback';
        try {
          const done = await work((statement, values) => send(sql, statement, values, trace));
          ending = 'commit';
          return done;
        } finally {
          ended = performance.now();
        }
      });
      return result as T;
    } finally {
      if (ending !== '') trace.statement(ending, '', [], ended, 0);
    }
  });
}

async function send<Row extends object>(
  client: Sql | TransactionSql,
  statement: Statement<Row>,
  values: Record<string, unknown>,
  trace: Trace,
): Promise<Row[]> {
  const started = performance.now();
  // The driver's type for parameters lists JavaScript types, ours are SQL text throughout.
  const parameters = statement.parameters(values) as never[];
  let count: number | null = null;
  try {
    const rows = await client.unsafe<Row[]>(statement.text, parameters, { prepare: true });
    count = rows.length;
    return rows;
  } finally {
    trace.statement(statement.name, statement.text, parameters, started, count);
  }
}

/**
 * Takes a place at the gate for as long as the statement is under way, and stops waiting for it after the time limit.
 * `statement_timeout` is Postgres' own limit and does not help against a stopped backend or a pool with no free
 * connection, so the waiting is limited here too.
 */
async function guarded<T>(database: Database, name: string, action: () => Promise<T>): Promise<T> {
  const { gate, statementTimeoutMs } = database;
  const started = performance.now();
  await enter(database, gate, name);
  const answer = action().finally(() => gate.leave());
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    const left = statementTimeoutMs - (performance.now() - started);
    timer = setTimeout(() => {
      database.renew();
      reject(new DatabaseUnavailable(`Postgres did not answer ${name} within ${statementTimeoutMs} ms.`));
    }, left + GRACE_MS);
  });
  try {
    return await Promise.race([answer, limit]);
  } catch (error) {
    throw databaseError(error);
  } finally {
    clearTimeout(timer);
  }
}

async function enter({ statementTimeoutMs }: Database, gate: Gate, name: string): Promise<void> {
  try {
    await gate.enter(statementTimeoutMs);
  } catch (error) {
    if (error instanceof GateClosed)
      throw new DatabaseUnavailable(`Postgres has no place for ${name}: ${error.message}.`);
    throw error;
  }
}
