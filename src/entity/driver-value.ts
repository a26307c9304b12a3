import { is, SQL } from 'drizzle-orm';

/** A value of the driver, as caches hold it. JSON can carry it, and `unpack` makes the same value from it. */
export type Packed =
  | { readonly text: string }
  | { readonly number: string }
  | { readonly bytes: string }
  | { readonly json: string };

/**
 * @param value what the driver made of a column: text, a boolean, a number, bytes, or what JSON.parse made of json
 * @returns the value as caches hold it
 */
export function pack(value: unknown): Packed {
  if (typeof value === 'string') return { text: value };
  if (typeof value === 'number') return { number: numberText(value) };
  return value instanceof Uint8Array ? { bytes: Buffer.from(value).toString('hex') } : { json: jsonText(value) };
}

/**
 * @param value a column's value
 * @returns whether JSON can carry it as it is
 */
export function isPlain(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  return typeof value === 'number' && Number.isFinite(value) && !Object.is(value, -0);
}

/**
 * @param packed what `pack` made
 * @returns the driver's value, which shares no part with any other
 */
export function unpack(packed: Packed): unknown {
  if ('text' in packed) return packed.text;
  if ('number' in packed) return Number(packed.number);
  return 'bytes' in packed ? Buffer.from(packed.bytes, 'hex') : JSON.parse(packed.json);
}

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
  if (is(value, SQL)) throw new TypeError('An SQL expression cannot be written as a value.');
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

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Like JSON.stringify, for what JSON.parse made. It keeps what JSON.stringify changes: -0, and numbers beyond 1.8e308. */
function jsonText(value: unknown): string {
  if (typeof value === 'number') {
    return Number.isFinite(value) ? numberText(value) : `${value < 0 ? '-' : ''}1e999`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  return `{${Object.entries(value)
    .map(([key, part]) => `${JSON.stringify(key)}:${jsonText(part)}`)
    .join(',')}}`;
}
