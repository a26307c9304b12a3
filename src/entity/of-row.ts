import { Column, is, SQL, sql, Table } from 'drizzle-orm';

/**
 * @param expression an expression over the columns of a table, or over the table itself
 * @param row the name of a row of it in a statement, which is another than the table's
 * @returns the same expression over that row
 */
export function ofRow(expression: SQL, row: string): SQL {
  return sql.join(
    expression.queryChunks.map((chunk) => {
      if (is(chunk, Column)) return sql`${sql.raw(row)}.${sql.identifier(chunk.name)}`;
      if (is(chunk, Table)) return sql.raw(row);
      return is(chunk, SQL) ? ofRow(chunk, row) : chunk;
    }),
  );
}
