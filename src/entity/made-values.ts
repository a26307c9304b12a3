import { getTableColumns } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';

type Values = Readonly<Record<string, unknown>>;

/**
 * Adds what Drizzle makes for columns that an insert leaves out: the value of `$defaultFn`, or of `$onUpdateFn` without any default.
 *
 * @param table the table
 * @param values the values by field; `undefined` for none
 * @returns the fields that have a value, which may be SQL
 * @throws what these functions throw
 */
export function valuesToInsert(table: PgTable, values: object): Values {
  return withMade(table, values, (column) => column.defaultFn ?? (column.default ? undefined : column.onUpdateFn));
}

/**
 * Adds what Drizzle makes for columns that an update leaves out: the value of `$onUpdateFn`.
 *
 * @param table the table
 * @param changes the values by field; `undefined` for none
 * @returns the fields that have a value, which may be SQL
 * @throws what these functions throw
 */
export function valuesToUpdate(table: PgTable, changes: object): Values {
  return withMade(table, changes, (column) => column.onUpdateFn);
}

function withMade(table: PgTable, given: object, makerOf: (column: PgColumn) => (() => unknown) | undefined): Values {
  const values = new Map(Object.entries(given).filter(([, value]) => value !== undefined));
  for (const [field, column] of Object.entries(getTableColumns(table))) {
    const made = values.has(field) ? undefined : makerOf(column)?.();
    if (made !== undefined) values.set(field, made);
  }
  return Object.fromEntries(values);
}
