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

/**
 * @param table a table
 * @param columns columns of it
 * @returns the full names of the tables that exactly these columns refer to, by the foreign keys that Drizzle knows
 */
export function referredTables(table: PgTable, columns: readonly PgColumn[]): readonly string[] {
  const names = new Set(columns.map(({ name }) => name));
  return getTableConfig(table).foreignKeys.flatMap((key) => {
    const { columns: own, foreignTable } = key.reference();
    const isOfThese = own.length === names.size && own.every(({ name }) => names.has(name));
    return isOfThese ? [fullName(foreignTable)] : [];
  });
}
