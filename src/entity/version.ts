import { type SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { ofRow } from './of-row.ts';

/** What distinguishes the versions of a row. Equal versions have equal values in every column. */
export interface RowVersion {
  /**
   * @param row the name of the row in a statement
   * @returns its version as text that is never NULL and has no comma
   */
  of(row: string): SQL;
  /**
   * @param row the name of a row that the statement itself writes
   * @returns the version that the row has after the statement
   */
  written(row: string): SQL;
}

/**
 * The transaction that wrote the row. `RETURNING` from a partitioned table does not give `xmin`, so the transaction under way stands for
 * it.
 */
const XMIN: RowVersion = {
  of: (row) => sql`${sql.raw(row)}.xmin::text`,
  written: () => sql`pg_current_xact_id()::xid::text`,
};

/**
 * @param table the table
 * @param version a column, or an expression over columns or over the table itself, for the whole row; `xmin` when it is left out
 * @returns how versions are read
 */
export function rowVersion(table: PgTable, version: PgColumn | SQL | undefined): RowVersion {
  if (version === undefined) return XMIN;
  const of = (row: string) => sql`coalesce(md5((${ofRow(sql`${version}`, table, row)})::text), 'null')`;
  return { of, written: of };
}
