import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';

/** The rows that a list pages through: a table, or a join table that leads to one. */
export interface KeysetSource {
  /** What the list is called in figures, such as `Campaign.events`. */
  readonly name: string;
  /** The table that is scanned. */
  readonly from: PgTable;
  /** The column of `from` that holds the listed entity's id; it ends every sort key and makes it unique. */
  readonly id: PgColumn;
  /** The listed entity's own table, whose `xmin` is the version. */
  readonly entity: PgTable;
  /** The column of `from` that holds the parent's id; absent when the list has no parent. */
  readonly parent?: PgColumn;
  /** The column of `from` that `after` and `before` of a range filter compare with; absent when there is no filter. */
  readonly range?: PgColumn;
}
