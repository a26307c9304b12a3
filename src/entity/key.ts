import { getTableColumns, getTableName, type SQL, sql } from 'drizzle-orm';
import { getTableConfig, type PgColumn, type PgTable } from 'drizzle-orm/pg-core';
import { sqlType } from '../postgres/sql-type.ts';
import { textForm } from '../postgres/text-form.ts';
import { sqlText } from '../postgres/value-text.ts';
import { wrongDeclaration } from './check-declaration.ts';
import { compositeParts } from './composite-id.ts';

/** The types that a key's columns may have. A value of these types has exactly one text. */
const KEY_TYPES = ['uuid', 'smallint', 'integer', 'bigint', 'text', 'varchar'];

/**
 * The longest text of a key, in bytes. An entry in an index of Postgres has at most 2,704 bytes, so a longer key is there only when it
 * compresses well. Larder never asks for one.
 */
const MAX_BYTES = 2700;

/** The columns that identify a row of an entity. */
export interface EntityKey {
  readonly columns: readonly PgColumn[];
  /**
   * Tells whether a row can have an id. It is asked before any SQL, because one bad id would fail its whole batch.
   *
   * @param id what a client sent
   * @returns whether a row can have the id
   */
  isId(id: string): boolean;
  /**
   * @param id an id of the entity
   * @returns the values of the columns as SQL text, in order
   */
  partsOf(id: string): readonly string[];
}

/**
 * Finds the key of an entity's table.
 *
 * @param name the entity's name, for errors
 * @param table its table
 * @param named the columns of the key; the primary key of the table when they are left out
 * @param isId which ids of the right form a row can have; any when it is left out
 * @returns the key
 * @throws {TypeError} when there is none, one of a type that Larder does not support, or a field `id` that is not its text
 */
export function keyOf(
  name: string,
  table: PgTable,
  named: readonly PgColumn[] = primaryKeyOf(table),
  isId?: (id: string) => boolean,
): EntityKey {
  const [first, ...others] = named;
  if (first === undefined) {
    throw wrongDeclaration(name, `${getTableName(table)} to have a primary key, or the option key`, 'neither', 'keys');
  }
  const other = getTableColumns(table).id;
  if (other !== undefined && (other !== first || others.length > 0)) {
    const expected = `the field id of ${getTableName(table)} to be its key`;
    throw wrongDeclaration(name, expected, 'another: call that otherwise in Drizzle', 'keys');
  }
  if (other !== undefined && isMapped(other)) {
    const expected = `the field id of ${getTableName(table)} to be what Postgres writes`;
    const got = 'a type whose toDriver does not take that: call that otherwise in Drizzle';
    throw wrongDeclaration(name, expected, got, 'keys');
  }
  return keyForm(name, named, isId);
}

/**
 * @param name the owner of the columns, for errors
 * @param named columns that hold a key
 * @param isId which ids of the right form a row can have; any when it is left out
 * @returns the key
 * @throws {TypeError} when one of them has a type that Larder does not support
 */
export function keyForm(
  name: string,
  named: readonly PgColumn[],
  isId: (id: string) => boolean = () => true,
): EntityKey {
  for (const column of named) checkKeyColumn(name, column);
  const forms = named.map((column) => textForm(column));
  const hasForm = (part: string, i: number) => forms[i]?.(part) === true;
  const isShort = (id: string) => id.length <= MAX_BYTES && (id.length <= MAX_BYTES / 3 || byteLength(id) <= MAX_BYTES);
  if (named.length === 1) {
    return {
      columns: named,
      isId: (id) => hasForm(id, 0) && isShort(id) && isId(id),
      partsOf: (id) => [id],
    };
  }
  return {
    columns: named,
    isId: (id) => {
      // An escaped character is three times as long in the id as in the index.
      const parts = id.length <= 3 * MAX_BYTES ? compositeParts(id) : null;
      return parts?.length === named.length && isShort(parts.join('')) && parts.every(hasForm) && isId(id);
    },
    partsOf: (id) => compositeParts(id) ?? [],
  };
}

/**
 * Writes in SQL what `compositeId` writes.
 *
 * @param columns the columns of a key, or columns that hold one
 * @param row the name of the row in the statement
 * @returns the id as text
 * @throws {TypeError} when there are no columns
 */
export function idText(columns: readonly PgColumn[], row: string): SQL {
  const place = (column: PgColumn) => sql`${sql.raw(row)}.${sql.identifier(column.name)}`;
  const [first] = columns;
  if (first === undefined) throw new TypeError('A key has at least one column.');
  if (columns.length === 1) return sql`${place(first)}::text`;
  // A collation may take a comma for nothing, and before Postgres 18 `replace` refuses one that takes two texts for the same.
  const parts = columns.map((column) => {
    return isTextual(column)
      ? sql`replace(replace(${place(column)} collate "C", '%', '%25'), ',', '%2C')`
      : sql`${place(column)}::text`;
  });
  return sql.join(parts, sql` || ',' || `);
}

/**
 * Names a row by a column of its key, as an index finds it. A collation may take other texts for the same, but an id is that of one row.
 *
 * @param column the column
 * @param own its place in a statement
 * @param value the value that it must have
 * @returns the condition
 */
export function isNamed(column: PgColumn, own: SQL, value: SQL): SQL {
  const same = sql`${own} = ${value}`;
  return isTextual(column) ? sql`${same} and ${own}::text collate "C" = ${value}::text` : same;
}

/**
 * @param key an entity's key
 * @returns whether its ids may hold a comma, so that a list of ids travels as JSON
 */
export function isListedAsJson({ columns }: EntityKey): boolean {
  return columns.length > 1 || columns.some(isTextual);
}

/**
 * @param ids ids of an entity
 * @param key its key
 * @returns the parts of all ids, in order, for each column of the key
 */
export function columnsOfIds(ids: readonly string[], key: EntityKey): (readonly string[])[] {
  if (key.columns.length === 1) return [ids];
  const parts = ids.map((id) => key.partsOf(id));
  return key.columns.map((_column, i) => parts.map((values) => values[i] ?? ''));
}

/**
 * @param column a column
 * @returns whether it holds any text, such as the id of a key of several columns
 */
export function isTextual(column: PgColumn): boolean {
  return ['text', 'varchar'].includes(sqlType(column));
}

function primaryKeyOf(table: PgTable): readonly PgColumn[] {
  const all = Object.values(getTableColumns(table));
  const own = all.filter((column) => column.primary);
  if (own.length > 0) return own;
  // Drizzle gives a table's callback columns of another kind, which lack their types.
  const named = getTableConfig(table).primaryKeys[0]?.columns ?? [];
  return named.flatMap(({ name }) => all.filter((column) => column.name === name));
}

function checkKeyColumn(name: string, column: PgColumn): void {
  const type = sqlType(column);
  if (KEY_TYPES.includes(type)) return;
  throw wrongDeclaration(name, `the key ${column.name} to be ${KEY_TYPES.join(', ')}`, type, 'keys');
}

/** Texts that columns of a key may have, by their types. */
const SAMPLES: Readonly<Record<string, string>> = {
  uuid: '7b1e4a0c-93d5-4f6b-8c2d-5a9e0f3b7d61',
  text: 'a',
  varchar: 'a',
};

/** Whether a custom type makes values of its own, and its `toDriver` does not take the text that the field `id` is. */
function isMapped(column: PgColumn): boolean {
  const { mapFrom, mapTo } = column as { readonly mapFrom?: unknown; readonly mapTo?: unknown };
  if (typeof mapFrom !== 'function' || typeof mapTo !== 'function') return false;
  const sample = SAMPLES[sqlType(column)] ?? '1';
  try {
    return sqlText(mapTo(sample)) !== sample;
  } catch {
    return true;
  }
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
