import { Trace } from '../trace/trace.ts';
import type { Database } from './client.ts';
import { run } from './statement.ts';

/** Classes of errors that mean that a parameter does not fit: data exceptions and wrong types. */
const UNFIT = /^(22|42)/;

/**
 * Asks Postgres for the plan of a statement, without running it.
 *
 * @param database where
 * @param text a statement of Larder's, never a client's text
 * @param parameters its parameters
 * @returns the plan's lines; `null` when the parameters do not fit the statement
 * @throws {DatabaseUnavailable} when Postgres does not answer
 */
export async function explain(
  database: Database,
  text: string,
  parameters: readonly unknown[],
): Promise<string[] | null> {
  const statement = { name: 'explain', text: `explain (analyze false) ${text}`, parameters: () => [...parameters] };
  try {
    const rows = await run<{ 'QUERY PLAN': string }>(database, statement, {}, new Trace(database));
    return rows.map((row) => row['QUERY PLAN']);
  } catch (error) {
    if (error instanceof Error && 'code' in error && UNFIT.test(String(error.code))) return null;
    throw error;
  }
}
