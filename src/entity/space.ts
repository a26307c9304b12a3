import { getTableColumns } from 'drizzle-orm';
import { getTableConfig, type PgColumn, type PgTable } from 'drizzle-orm/pg-core';
import type { Columns } from '../cache/columns.ts';
import type { EntitySpace } from '../cache/entry.ts';
import { columnForm } from './column-codec.ts';
import type { EntityKey } from './key.ts';

/**
 * @param table an entity's table
 * @returns whether it has a field `id`, which then is its key
 */
export function hasIdField(table: PgTable): boolean {
  return getTableColumns(table).id !== undefined;
}

/**
 * @param table an entity's table
 * @param key its key
 * @param said what Postgres says of a column, by the column's name; nothing when it has not been asked
 * @returns what the values of each field depend on, in the order of the fields of bodies
 */
export function formsOf(
  table: PgTable,
  key: EntityKey,
  said?: ReadonlyMap<string, string>,
): Record<string, readonly string[]> {
  const { schema = '', name } = getTableConfig(table);
  const ofColumn = (column: PgColumn) => [
    ...[schema, name, column.name, ...columnForm(column)],
    ...(said === undefined ? [] : [said.get(column.name) ?? '']),
  ];
  const forms = Object.entries(getTableColumns(table)).map(([field, column]) => [field, ofColumn(column)]);
  if (!hasIdField(table)) forms.push(['id', key.columns.flatMap(ofColumn)]);
  return Object.fromEntries(forms);
}

/**
 * @param entity the entity's name
 * @param columns its columns
 * @param codec how entities are made from what caches hold
 * @returns the name and the shape of the kind of entity in the cache
 */
export function spaceOf(entity: string, columns: Columns, codec: EntitySpace['codec']): EntitySpace {
  return { entity, shape: columns.shape, columns, codec: codec ?? null };
}
