import postgres, { type PendingQuery, type Row } from 'postgres';
import type { Test } from 'tap';

/**
 * Opens a connection to look at a database from outside of Larder.
 *
 * @param t the test that it is for; it is closed when the test ends
 * @param url the database
 * @returns the connection
 */
export function connect(t: Test, url: string): postgres.Sql {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connection: { TimeZone: 'UTC' } });
  t.teardown(() => sql.end({ timeout: 5 }));
  return sql;
}

/**
 * Runs a statement for its bare values.
 *
 * @param query the statement
 * @returns the rows as plain arrays, which compare equal to others where the driver's own do not
 */
export async function values(query: PendingQuery<Row[]>): Promise<unknown[][]> {
  return Array.from(await query.values(), (row) => [...row]);
}
