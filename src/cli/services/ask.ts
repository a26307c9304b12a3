import type postgres from 'postgres';
import { openDatabase } from '../../postgres/client.ts';

/**
 * Asks a database a question, on a connection of its own.
 *
 * @param url the address of the database
 * @param query makes the statement
 * @returns whether the statement finds a row
 */
export async function ask(url: string, query: (sql: postgres.Sql) => Promise<readonly unknown[]>): Promise<boolean> {
  const database = openDatabase({ url, poolSize: 1, statementTimeoutMs: 0 });
  try {
    return (await query(database.client)).length > 0;
  } finally {
    await database.close();
  }
}
