import type { PgColumn } from 'drizzle-orm/pg-core';

/** How a page is cut out of a source. Each combination is one statement text. */
export interface KeysetShape {
  /** The column sorted by before the id; absent to sort by id alone. */
  readonly key?: PgColumn | undefined;
  /** Whether the scan goes from the largest key to the smallest. */
  readonly descending: boolean;
  /** Whether some page of the batch is bounded, by a cursor or by the range filter. */
  readonly bounded: boolean;
  /** Whether some row of the batch wants its sort keys, its count, or to know what lies outside of its bounds. */
  readonly keys: boolean;
  readonly total: boolean;
  readonly outside: boolean;
}
