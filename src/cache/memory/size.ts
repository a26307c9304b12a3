import { getHeapStatistics } from 'node:v8';
import type { Body } from '../entry.ts';

/** What a body in memory takes beside its values, in bytes: its key, its books, and the node that GraphQL makes of it. */
const BODY_BYTES = 384;

/** What a value takes beside its text, with its places in the entity and in the node. */
const VALUE_BYTES = 40;

/** What V8 does not hold in one byte a character. In a text that it does hold so, nothing is looked for. */
const WIDE = /[^\0-\xff]/;

/**
 * Which part of the heap bodies in memory may take when nobody says. A small heap that was given to them by half still served, with
 * little left for requests.
 */
const SHARE = 0.25;

/** @returns how much memory may keep when nobody says, in bytes */
export function defaultMemoryBytes(): number {
  return Math.floor(getHeapStatistics().heap_size_limit * SHARE);
}

/**
 * @param body a body, `null` for an entity known not to exist
 * @returns what it takes in memory, about, in bytes
 */
export function bytesOf(body: Body | null): number {
  return BODY_BYTES + (body === null ? 0 : valueBytes(body.entity));
}

function valueBytes(value: unknown): number {
  if (typeof value === 'string') return textBytes(value);
  if (typeof value !== 'object' || value === null) return VALUE_BYTES;
  if (ArrayBuffer.isView(value)) return VALUE_BYTES + value.byteLength;
  let bytes = VALUE_BYTES;
  for (const item of Object.values(value)) bytes += valueBytes(item);
  return bytes;
}

/**
 * @param text a text
 * @returns what it takes in memory, about, in bytes
 */
export function textBytes(text: string): number {
  return VALUE_BYTES + (WIDE.test(text) ? 2 * text.length : text.length);
}
