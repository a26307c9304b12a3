import { Column, is, SQL, sql, Table } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';

/** What tells one version of a row from another: two that are equal have equal values in every column. */
export interface RowVersion {
  /**
   * @param row the name that the row has in a statement
   * @returns its version as text that is never NULL and has no comma
   */
  of(row: string): SQL;
  /**
   * @param row the name of a row that the statement itself writes
   * @returns the version that it has from then on
   */
  written(row: string): SQL;
}

/** The transaction that wrote the row. What is returned of a partitioned table does not say it: it is the one under way. */
const XMIN: RowVersion = {
  of: (row) => sql`${sql.raw(row)}.xmin::text`,
  written: () => sql`pg_current_xact_id()::xid::text`,
};

/**
 * @param version a column, or an expression over columns or over the table itself, for the whole row; `xmin` when it is left out
 * @returns how versions are read
 */
export function rowVersion(version: PgColumn | SQL | undefined): RowVersion {
  if (version === undefined) return XMIN;
  const of = (row: string) => sql`coalesce(md5((${ofRow(sql`${version}`, row)})::text), 'null')`;
  return { of, written: of };
}

/** The same expression over a row that goes by another name than its table. */
function ofRow(expression: SQL, row: string): SQL {
  return sql.join(
    expression.queryChunks.map((chunk) => {
      if (is(chunk, Column)) return sql`${sql.raw(row)}.${sql.identifier(chunk.name)}`;
      if (is(chunk, Table)) return sql.raw(row);
      return is(chunk, SQL) ? ofRow(chunk, row) : chunk;
    }),
  );
}
