import { getHeapStatistics } from 'node:v8';
import type { Body } from '../entry.ts';

/** The size of a body in memory beside its values, in bytes: its key, its entry, and the node that GraphQL makes of it. */
const BODY_BYTES = 384;

/** The size of a value beside its text, in bytes, with its places in the entity and in the node. */
const VALUE_BYTES = 40;

/** What entities hold beside the values of their fields, in bytes. */
const beside = new WeakMap<object, number>();

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
  if (body === null) return BODY_BYTES;
  let bytes = BODY_BYTES + (beside.get(body.entity) ?? 0);
  // The names of its fields are shared by all entities of a kind.
  for (const value of Object.values(body.entity)) bytes += valueBytes(value);
  return bytes;
}

/**
 * Notes what an entity holds that its fields do not show.
 *
 * @param entity the entity
 * @param text what it holds
 */
export function addHeldText(entity: object, text: string): void {
  beside.set(entity, (beside.get(entity) ?? 0) + textBytes(text));
}

function valueBytes(value: unknown): number {
  if (typeof value === 'string') return textBytes(value);
  if (typeof value !== 'object' || value === null) return VALUE_BYTES;
  if (ArrayBuffer.isView(value)) return VALUE_BYTES + value.byteLength;
  let bytes = VALUE_BYTES;
  if (Array.isArray(value)) for (const item of value) bytes += valueBytes(item);
  else for (const [name, item] of Object.entries(value)) bytes += name.length + valueBytes(item);
  return bytes;
}

/**
 * @param text a text
 * @returns its approximate size in memory, in bytes
 */
export function textBytes(text: string): number {
  return VALUE_BYTES + (WIDE.test(text) ? 2 * text.length : text.length);
}
