import type { PgColumn } from 'drizzle-orm/pg-core';
import type { BodyCodec } from '../cache/entry.ts';
import { addHeldText } from '../cache/memory/size.ts';
import { type ColumnCodec, columnCodec } from './column-codec.ts';
import { isPlain, type Packed, pack, unpack } from './driver-value.ts';
import { freezeThrough } from './frozen.ts';

/** How rows become entities. */
export interface RowCodec extends BodyCodec {
  /**
   * @param row the entity's columns by field, as the driver gives them
   * @returns the entity, deeply frozen, and what caches hold of it
   * @throws what a custom type's `fromDriver` throws
   */
  fromRow(row: object): { readonly entity: object; readonly stored: object };
}

/** Entities that have a field which is read anew each time. */
const fresh = new WeakSet<object>();

/**
 * Makes what turns rows into entities. Where JSON cannot carry a value, caches hold what the driver gave instead. So the same steps make
 * the value, whether it comes from a cache or from Postgres.
 *
 * @param columns the entity's columns by field
 * @returns the codec; `null` when every value is as the driver gives it, and nothing has to be converted
 */
export function bodyCodec(columns: Readonly<Record<string, PgColumn>>): RowCodec | null {
  const decoded = Object.entries(columns)
    // An id is text everywhere, since it is the key of caches and a part of global ids.
    .filter(([field]) => field !== 'id')
    .map(([field, column]) => ({ field, ...columnCodec(column) }))
    .filter(({ plain }) => !plain);
  if (decoded.length === 0) return null;

  /** Sets the value of a field. */
  const put = (entity: Record<string, unknown>, field: string, decode: ColumnCodec['decode'], packed: Packed) => {
    const value = decode(unpack(packed));
    if (freezeThrough(value)) entity[field] = value;
    else {
      readAnew(entity, field, () => decode(unpack(packed)));
      for (const text of Object.values<string>(packed)) addHeldText(entity, text);
    }
    return value;
  };

  return {
    fromRow: (row) => {
      const entity: Record<string, unknown> = { ...row };
      const stored: Record<string, unknown> = { ...row };
      for (const { field, decode } of decoded) {
        if (entity[field] === null) continue;
        const packed = pack(entity[field]);
        const value = put(entity, field, decode, packed);
        stored[field] = isPlain(value) ? value : packed;
      }
      return { entity: Object.freeze(entity), stored };
    },
    toEntity: (stored) => {
      const entity: Record<string, unknown> = { ...stored };
      for (const { field, decode } of decoded) {
        const held = entity[field];
        if (typeof held === 'object' && held !== null) put(entity, field, decode, held as Packed);
      }
      return Object.freeze(entity);
    },
  };
}

/** A value that cannot be frozen belongs to its reader alone, so each reading makes another one. */
function readAnew(entity: object, field: string, read: () => unknown): void {
  const get = () => {
    const value = read();
    freezeThrough(value);
    return value;
  };
  Object.defineProperty(entity, field, { enumerable: true, get });
  fresh.add(entity);
}

/**
 * Copies an entity and adds properties. A field that is read anew each time still is.
 *
 * @param entity the entity
 * @param more the properties that the copy has besides, or instead
 * @returns the copy
 */
export function extendEntity<E extends object, More extends object>(entity: E, more: More): E & More {
  if (!fresh.has(entity)) return { ...entity, ...more };
  const properties = { ...Object.getOwnPropertyDescriptors(entity), ...Object.getOwnPropertyDescriptors(more) };
  return Object.defineProperties({}, properties) as E & More;
}
