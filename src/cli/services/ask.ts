import postgres from 'postgres';

/**
 * Asks a database a question on a connection of its own.
 *
 * @param url the address of the database
 * @param query makes the statement
 * @returns whether the statement finds a row
 */
export async function ask(url: string, query: (sql: postgres.Sql) => Promise<readonly unknown[]>): Promise<boolean> {
  const sql = postgres(url, { max: 1, fetch_types: false, onnotice: () => {} });
  try {
    return (await query(sql)).length > 0;
  } finally {
    await sql.end({ timeout: 5 });
  }
}
