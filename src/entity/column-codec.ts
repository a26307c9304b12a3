import { Column, is } from 'drizzle-orm';
import { PgArray, type PgColumn } from 'drizzle-orm/pg-core';
import { parseArray, type TextArray } from './array-text.ts';
import { elementReader, sqlText } from './driver-value.ts';

/**
 * How the values of one column are read and written. A value has the form of the Drizzle column wherever it comes from: what
 * `mapFromDriverValue` makes of what the driver gives.
 */
export interface ColumnCodec {
  /** Whether the driver's value is the column's, and JSON carries it. */
  readonly plain: boolean;
  /**
   * @param value what the driver gives, not `null`
   * @returns the column's value, which may share parts with what was given
   * @throws what a custom type's `fromDriver` throws
   */
  decode(value: unknown): unknown;
  /**
   * @param value the column's value; `null` for NULL
   * @returns the parameter
   * @throws {TypeError} when there is no such parameter
   */
  encode(value: unknown): string | null;
}

/**
 * @param column the column as Drizzle declares it
 * @returns how its values are read and written
 */
export function columnCodec(column: PgColumn): ColumnCodec {
  // Of the columns that do not override it, the driver gives text or a boolean.
  const plain = column.mapFromDriverValue === Column.prototype.mapFromDriverValue;
  return { plain, decode: decoder(column), encode: encoder(column) };
}

/**
 * @param column the column as Drizzle declares it
 * @returns what its values depend on, beside what Postgres says: its SQL type, and how that is read
 */
export function columnForm(column: PgColumn): string[] {
  const { mapFrom } = column as { readonly mapFrom?: unknown };
  // Of a custom type the code itself: another one may make other values of the same text.
  return [column.getSQLType(), column.columnType, typeof mapFrom === 'function' ? String(mapFrom) : ''];
}

function decoder(column: PgColumn): (value: unknown) => unknown {
  const array = arrayOf(column);
  if (array === null) {
    // The driver has parsed it; Drizzle would parse once more what is a text in json.
    return isJson(column) ? (value) => value : (value) => column.mapFromDriverValue(value);
  }
  const read = elementReader(array.type);
  // Postgres knows an array of arrays as an array: it may be nested more deeply than the column says.
  const elements = (texts: TextArray): unknown[] =>
    texts.map((text) => {
      if (text === null) return null;
      return typeof text === 'string' ? array.decode(read(text)) : elements(text);
    });
  return (value) => array.finish(elements(parseArray(String(value))));
}

/** What an array's elements are and how they are read; `null` when the column is no array. */
function arrayOf(column: PgColumn) {
  const same = (value: unknown) => value;
  if (is(column, PgArray)) {
    let element: PgColumn = column;
    while (is(element, PgArray)) element = element.baseColumn;
    return { type: element.getSQLType(), decode: decoder(element), finish: same };
  }
  const type = column.getSQLType();
  if (!type.endsWith(']')) return null;
  // A custom type over an array is given what Drizzle's driver would give it, an array.
  const finish = (value: unknown) => column.mapFromDriverValue(value);
  return { type: type.replace(/(\[\d*\])+$/, ''), decode: same, finish };
}

function encoder(column: PgColumn): (value: unknown) => string | null {
  const toDriver = driverParameter(column);
  return (value) => {
    if (value === null || value === undefined) return null;
    return sqlText(toDriver(value));
  };
}

function driverParameter(column: PgColumn): (value: unknown) => unknown {
  if (!is(column, PgArray)) return (value) => column.mapToDriverValue(value);
  const element = driverParameter(column.baseColumn);
  return (value) => {
    if (!Array.isArray(value)) throw new TypeError(`Expected an array for the column ${column.name}.`);
    return value.map((item) => (item === null || item === undefined ? null : element(item)));
  };
}

function isJson({ columnType }: PgColumn): boolean {
  return columnType === 'PgJson' || columnType === 'PgJsonb';
}
