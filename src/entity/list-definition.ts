import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Filter } from './filter.ts';
import type { EntityKey } from './key.ts';
import type { RowVersion } from './version.ts';

/** A column that a list is sorted by. */
export interface OrderTerm {
  readonly column: PgColumn;
  readonly descending: boolean;
  /** Where NULL stands; says nothing where there is none. */
  readonly nullsFirst: boolean;
}

/** A list of entities: the rows it pages through, how they can be sorted and what they can be filtered by. */
export interface ListDefinition {
  /** The table that is scanned: the entity's, or one that leads to it. */
  readonly from: PgTable;
  /** The columns of `from` that hold the listed entity's key: they end every order and make it unique. */
  readonly id: readonly PgColumn[];
  /** The columns of `from` that hold the parent's key; `null` when the list has no parent. */
  readonly parent: EntityKey | null;
  /** Each order's name with the columns sorted by before the key. The first is the default. */
  readonly orders: Readonly<Record<string, readonly OrderTerm[]>>;
  readonly filters: Readonly<Record<string, Filter>>;
}

/** A list with the entity that it lists. */
export interface ListSource extends ListDefinition {
  /** What the list is called in figures, such as `Campaign.events`. */
  readonly name: string;
  /** The listed entity's own table. */
  readonly entity: PgTable;
  /** What the version of a row of that table is. */
  readonly version: RowVersion;
  readonly key: EntityKey;
}
