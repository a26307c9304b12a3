import { getHeapStatistics } from 'node:v8';
import type { Body } from '../entry.ts';

/** The size of a body in memory beside its values, in bytes: its key, its entry, and the node that GraphQL makes of it. */
const BODY_BYTES = 384;

/** The size of a value beside its text, in bytes, with its places in the entity and in the node. */
const VALUE_BYTES = 40;

/** Characters that V8 does not hold in one byte. V8 knows texts without them, and does not search these. */
const WIDE = /[^\0-\xff]/;

/** The part of the heap that bodies in memory may take by default. With half of a small heap, requests had little left. */
const SHARE = 0.25;

/** @returns how much memory may keep by default, in bytes */
export function defaultMemoryBytes(): number {
  return Math.floor(getHeapStatistics().heap_size_limit * SHARE);
}

/**
 * @param body a body; `null` for an entity known not to exist
 * @returns its approximate size in memory, in bytes
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
 * @returns its approximate size in memory, in bytes
 */
export function textBytes(text: string): number {
  return VALUE_BYTES + (WIDE.test(text) ? 2 * text.length : text.length);
}
