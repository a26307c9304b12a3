import type { Trace } from '../trace/trace.ts';
import type { Database } from './client.ts';
import type { Statement } from './statement.ts';

/** Postgres could not answer in time or at all. Carries no SQL and no parameter, so it may be logged anywhere. */
export class DatabaseUnavailable extends Error {
  override name = 'DatabaseUnavailable';
}

/** The driver's and Postgres' codes that mean "not now" rather than "this statement is wrong". */
const UNAVAILABLE = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|CONNECT|CONNECTION|08|53|57|58)/;

/**
 * Runs one statement and counts it.
 *
 * @param database where
 * @param statement what, prepared once per connection
 * @param values the placeholders' values
 * @param trace the request's trace, to which the statement, its rows and its time are added
 * @returns the rows, their values as the driver sends them: bigints and timestamps as text
 * @throws {DatabaseUnavailable} when there is no connection or the time limit passes
 */
export async function run<Row extends object>(
  database: Database,
  statement: Statement<Row>,
  values: Record<string, unknown>,
  trace: Trace,
): Promise<Row[]> {
  const started = performance.now();
  const query = database.client.unsafe<Row[]>(statement.text, statement.parameters(values) as never[], {
    prepare: true,
  });
  const rows = await withDeadline(query, database.statementTimeoutMs, statement.name);
  trace.statement(rows.length, performance.now() - started);
  return rows;
}

/**
 * `statement_timeout` is Postgres' own limit and does not help against a stopped backend or a pool with no free
 * connection, so the waiting is limited here too.
 */
async function withDeadline<T>(query: PromiseLike<T> & { cancel(): void }, ms: number, name: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      query.cancel();
      reject(new DatabaseUnavailable(`Postgres did not answer ${name} within ${ms} ms.`));
    }, ms);
  });
  try {
    return await Promise.race([query, deadline]);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (UNAVAILABLE.test(code)) throw new DatabaseUnavailable(`Postgres is not available (${code}).`, { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
