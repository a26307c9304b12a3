import { is } from 'drizzle-orm';
import { PgArray, type PgColumn } from 'drizzle-orm/pg-core';

/** Declared types that cannot be cast to under that name, or that mean another type in a cast. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  smallserial: 'smallint',
  serial: 'integer',
  bigserial: 'bigint',
  // Without a length, these are char(1) and bit(1).
  char: 'bpchar',
  character: 'bpchar',
  nchar: 'bpchar',
  'national char': 'bpchar',
  'national character': 'bpchar',
  bit: 'varbit',
};

/** What an interval keeps (`year to month`) cuts a value off as a length does. */
const FIELDS_OF_INTERVAL = /^interval [^[]*/i;

/**
 * The type to which a value is cast when it is compared with a column. It has no length and no precision: a cast to these would truncate or
 * round the value, and find other rows.
 *
 * @param column the column as Drizzle declares it
 * @returns the type as SQL text, quoted where necessary
 */
export function sqlType(column: PgColumn): string {
  if (is(column, PgArray)) return `${sqlType(column.baseColumn)}[]`;
  const { enum: labels } = column as { readonly enum?: { readonly enumName: string; readonly schema?: string } };
  if (labels !== undefined) return qualified(labels.schema, labels.enumName);
  const type = column
    .getSQLType()
    .replace(/ ?\(\d+(, ?-?\d+)?\)/g, '')
    .replace(FIELDS_OF_INTERVAL, 'interval');
  // A custom type may be an array by itself.
  const element = type.replace(/(\[\d*\])+$/, '');
  return `${OTHER_NAMES[element.toLowerCase()] ?? element}${element === type ? '' : '[]'}`;
}

/**
 * @param schema the schema; `undefined` for the search path
 * @param name the name of a table or a type in it
 * @returns both, quoted
 */
export function qualified(schema: string | undefined, name: string): string {
  const parts = schema === undefined ? [name] : [schema, name];
  return parts.map((part) => `"${part.replaceAll('"', '""')}"`).join('.');
}
