import { Column, is } from 'drizzle-orm';
import { PgArray, type PgColumn } from 'drizzle-orm/pg-core';
import { parseArray, type TextArray } from '../postgres/array-text.ts';
import { elementReader, isSql, sqlText } from '../postgres/value-text.ts';

/**
 * How the values of one column are read and written. A value always has the form of the Drizzle column, whether it comes from a cache or
 * from Postgres. `mapFromDriverValue` makes it from the driver's value.
 */
export interface ColumnCodec {
  /** Whether the driver's value is already the column's, and JSON can carry it. */
  readonly plain: boolean;
  /**
   * @param value the driver's value, not `null`
   * @returns the column's value, which may share parts with the driver's
   * @throws what a custom type's `fromDriver` throws
   */
  decode(value: unknown): unknown;
  /**
   * @param value the column's value; `null` for NULL
   * @returns the parameter as SQL text; `null` for NULL
   * @throws {NoParameter} when no parameter can carry the value: SQL that a custom type makes, or no array for an array
   * @throws {TypeError} for a value that has no text, and what a custom type's `toDriver` throws
   */
  encode(value: unknown): string | null;
}

/** No parameter can carry a value, for a reason that the application decides, and no client. */
export class NoParameter extends TypeError {
  override name = 'NoParameter';
}

/** Arrays that Drizzle has its driver leave as text, so that this is what a custom type over one receives. */
const LEFT_AS_TEXT = /^(date|timestamp(tz)?|numeric|decimal|dec)\b.*\]$/i;

/**
 * @param column the column as Drizzle declares it
 * @returns how its values are read and written
 */
export function columnCodec(column: PgColumn): ColumnCodec {
  // The driver gives text or a boolean for columns that do not override it.
  const plain = column.mapFromDriverValue === Column.prototype.mapFromDriverValue;
  return { plain, decode: decoder(column), encode: encoder(column) };
}

/**
 * @param column the column as Drizzle declares it
 * @returns what its values depend on, apart from what Postgres says: its SQL type, and how that is read
 */
export function columnForm(column: PgColumn): string[] {
  const { mapFrom } = column as { readonly mapFrom?: unknown };
  const type = column.getSQLType();
  return [
    type,
    column.columnType,
    // A custom type is described by its code: other code may make other values from the same text.
    typeof mapFrom === 'function' ? String(mapFrom) : '',
    // Bodies of Larder 0.2 hold arrays here.
    ...(!is(column, PgArray) && LEFT_AS_TEXT.test(type) ? ['text'] : []),
  ];
}

function decoder(column: PgColumn): (value: unknown) => unknown {
  const array = arrayOf(column);
  if (array === null) {
    // The driver has parsed JSON already. Drizzle would parse a text within it once more.
    return isJson(column) ? (value) => value : (value) => column.mapFromDriverValue(value);
  }
  const read = elementReader(array.type);
  // To Postgres an array of arrays is just an array, so it may be nested more deeply than the column says.
  const elements = (texts: TextArray): unknown[] =>
    texts.map((text) => {
      if (text === null) return null;
      return typeof text === 'string' ? array.decode(read(text)) : elements(text);
    });
  return (value) => array.finish(elements(parseArray(String(value))));
}

/** The type of an array's elements and how they are read; `null` when the column is no array. */
function arrayOf(column: PgColumn) {
  const same = (value: unknown) => value;
  if (is(column, PgArray)) {
    let element: PgColumn = column;
    while (is(element, PgArray)) element = element.baseColumn;
    return { type: element.getSQLType(), decode: decoder(element), finish: same };
  }
  const type = column.getSQLType();
  if (!type.endsWith(']') || LEFT_AS_TEXT.test(type)) return null;
  // A custom type over an array receives an array, as it does from Drizzle's driver.
  const finish = (value: unknown) => column.mapFromDriverValue(value);
  return { type: type.replace(/(\[\d*\])+$/, ''), decode: same, finish };
}

function encoder(column: PgColumn): (value: unknown) => string | null {
  const toDriver = driverParameter(column);
  return (value) => {
    if (value === null || value === undefined) return null;
    const made = toDriver(value);
    if (!isSql(made)) return sqlText(made);
    throw new NoParameter(
      `The type of ${column.name} writes this value as SQL, so a filter over it has to be a condition.`,
    );
  };
}

function driverParameter(column: PgColumn): (value: unknown) => unknown {
  if (!is(column, PgArray)) return (value) => column.mapToDriverValue(value);
  const element = driverParameter(column.baseColumn);
  return (value) => {
    if (!Array.isArray(value)) throw new NoParameter(`Expected an array for the column ${column.name}.`);
    return value.map((item) => (item === null || item === undefined ? null : element(item)));
  };
}

function isJson({ columnType }: PgColumn): boolean {
  return columnType === 'PgJson' || columnType === 'PgJsonb';
}
