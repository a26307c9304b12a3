import type { SQL } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { LoadedBody } from '../cache/entry.ts';
import type { EntityRow } from './entity-row.ts';
import type { Filter } from './filter.ts';
import type { EntityKey } from './key.ts';
import type { RowVersion } from './version.ts';

/** A column that a list is sorted by. */
export interface OrderTerm {
  readonly column: PgColumn;
  readonly descending: boolean;
  /** Whether NULL comes first. It means nothing for a column without NULL. */
  readonly nullsFirst: boolean;
}

/** A list of entities: the rows it pages through, its orders and its filters. */
export interface ListDefinition {
  /** The table that is scanned: the entity's own, or one that leads to it. */
  readonly from: PgTable;
  /** The columns of `from` that hold the listed entity's key. They end every order, which makes it unique. */
  readonly id: readonly PgColumn[];
  /** Whether the listed row is another than the scanned one: `from` is another table, or `id` is not the key. */
  readonly isJoined: boolean;
  /** The columns of `from` that hold the parent's key; `null` when the list has no parent. */
  readonly parent: EntityKey | null;
  /** Each order by name: the columns that come before the key. The first is the default. */
  readonly orders: Readonly<Record<string, readonly OrderTerm[]>>;
  readonly filters: Readonly<Record<string, Filter>>;
}

/** A list with the entity that it lists. */
export interface ListSource extends ListDefinition {
  /** The list's name in metrics, such as `Campaign.events`. */
  readonly name: string;
  /** The listed entity's own table. */
  readonly entity: PgTable;
  /** What the version of a row of that table is. */
  readonly version: RowVersion;
  readonly key: EntityKey;
  /**
   * @param row the name of a row of the entity's table in a statement
   * @returns the columns that its body is made of
   */
  bodyOf(row: string): SQL;
  /**
   * @param row these columns
   * @returns the body
   */
  toBody(row: EntityRow): LoadedBody;
}
