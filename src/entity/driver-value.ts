import { numberText } from '../postgres/value-text.ts';

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
