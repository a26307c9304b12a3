import { Column, is, SQL, StringChunk, sql, type Table } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { fullName } from './referred-tables.ts';

/**
 * @param expression an expression over the columns of a table, or over the table itself
 * @param table the table
 * @param row the name of a row of it in a statement, which is another than the table's
 * @returns the same expression over that row; other tables are left as they are
 */
export function ofRow(expression: SQL, table: PgTable, row: string): SQL {
  const { queryChunks } = expression;
  const chunks = queryChunks.map((chunk, i) => {
    if (is(chunk, SQL)) return ofRow(chunk, table, row);
    if (is(chunk, Column) && isSame(chunk.table, table)) return sql`${sql.raw(row)}.${sql.identifier(chunk.name)}`;
    if (!is(chunk, PgTable) || !isSame(chunk, table)) return chunk;
    // The name of the row alone would be a column, if the table has one of that name.
    return sql.raw(isQualifier(queryChunks[i + 1]) ? row : `${row}.*`);
  });
  const made = sql.join(chunks);
  // biome-ignore lint/complexity/useLiteralKeys: Drizzle's types call it private, and only so it can be read.
  return expression['shouldInlineParams'] ? made.inlineParams() : made;
}

/** Whether the text that follows a table goes on with a column of it. */
function isQualifier(next: unknown): boolean {
  return is(next, StringChunk) && next.value.join('').startsWith('.');
}

/** Drizzle makes several objects of one table, so its name is compared. */
function isSame(one: Table, other: PgTable): boolean {
  return is(one, PgTable) && fullName(one) === fullName(other);
}
