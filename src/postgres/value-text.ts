import { is, SQL } from 'drizzle-orm';

/** What the driver makes of columns of these types. It gives all others as text. */
const READERS: Record<string, (text: string) => unknown> = {
  boolean: (text) => text === 't',
  bytea: (text) => Buffer.from(text.slice(2), 'hex'),
  json: (text) => JSON.parse(text),
  jsonb: (text) => JSON.parse(text),
};
for (const type of ['smallint', 'integer', 'int2', 'int4', 'oid', 'real', 'double precision', 'float4', 'float8']) {
  READERS[type] = Number;
}
READERS.bool = READERS.boolean as (text: string) => unknown;
READERS.int = Number;

/**
 * The driver leaves arrays as text, so their elements have to be read here.
 *
 * @param type an SQL type, such as `double precision`
 * @returns a function that makes the driver's value from the text of an element of this type
 */
export function elementReader(type: string): (text: string) => unknown {
  return READERS[type.toLowerCase()] ?? ((text) => text);
}

/**
 * Writes a value as SQL text, the form in which every parameter travels.
 *
 * @param value what a column's `mapToDriverValue` made, or anything that the driver would take
 * @returns the text; `null` for NULL
 * @throws {TypeError} for an SQL expression, which is no value
 */
export function sqlText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return numberText(value);
  if (typeof value !== 'object') return String(value);
  if (isSql(value)) throw new TypeError('An SQL expression cannot be written as a value.');
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  return Array.isArray(value) ? arrayText(value) : JSON.stringify(value);
}

function arrayText(items: readonly unknown[]): string {
  const texts = items.map((item) => {
    const text = sqlText(item);
    if (text === null) return 'NULL';
    return Array.isArray(item) ? text : `"${text.replace(/[\\"]/g, '\\$&')}"`;
  });
  return `{${texts.join(',')}}`;
}

/**
 * Drizzle asks for a value's constructor, which the objects that graphql-js makes of arguments do not have.
 *
 * @param value any value
 * @returns whether it is a part of a statement
 */
export function isSql(value: unknown): value is SQL {
  return value instanceof Object && is(value, SQL);
}

/**
 * @param value a number
 * @returns its text, from which the same number is read
 */
export function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
