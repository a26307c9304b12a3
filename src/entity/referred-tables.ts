import { getTableConfig, type PgColumn, type PgTable } from 'drizzle-orm/pg-core';
import { qualified } from '../postgres/sql-type.ts';

/**
 * @param table a table
 * @returns its name as Drizzle writes it in SQL: quoted, with that of its schema where it has one
 */
export function ownName(table: PgTable): string {
  const { schema, name } = getTableConfig(table);
  return qualified(schema, name);
}

/**
 * @param table a table
 * @returns its name with that of its schema
 */
export function fullName(table: PgTable): string {
  const { schema = 'public', name } = getTableConfig(table);
  return `${schema}.${name}`;
}

/** Columns of a table that identify its rows. */
export interface ReferredKey {
  /** The full name of the table. */
  readonly table: string;
  readonly columns: readonly string[];
}

/**
 * @param table a table
 * @param columns columns of it
 * @returns what exactly these columns refer to, by the foreign keys that Drizzle knows: a column for each of these, in their order
 */
export function referredKeys(table: PgTable, columns: readonly PgColumn[]): readonly ReferredKey[] {
  return getTableConfig(table).foreignKeys.flatMap((key) => {
    const { columns: own, foreignColumns, foreignTable } = key.reference();
    const referred = columns.flatMap(
      ({ name }) => foreignColumns[own.findIndex((column) => column.name === name)] ?? [],
    );
    if (referred.length < columns.length || own.length !== columns.length) return [];
    return [{ table: fullName(foreignTable), columns: referred.map(({ name }) => name) }];
  });
}
