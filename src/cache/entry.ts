import type { Columns, StoredEntity } from './columns.ts';
import { parseJson } from './parse-json.ts';

/** An entity's body as caches hold it: the entity and the version of the row that it was read from. */
export interface Body {
  readonly version: string;
  readonly entity: object;
  /** Whether it answers for lists alone, which name its version: nothing is known of what was invalidated since it was read. */
  readonly isForLists?: true;
}

/** A body as it is read from Postgres. */
export interface LoadedBody extends Body {
  /** What caches hold instead of the entity, where JSON cannot carry it. */
  readonly stored?: object | undefined;
}

/**
 * @param body a body as it was read
 * @returns what memory and requests have use for: not what caches hold in its place
 */
export function entityAlone(body: LoadedBody): Body {
  return body.stored === undefined ? body : { version: body.version, entity: body.entity };
}

/** How an entity is made from what caches hold, where that differs: JSON carries no Date and no bigint. */
export interface BodyCodec {
  /**
   * @param stored what caches hold
   * @returns the entity, deeply frozen
   * @throws when it cannot be made
   */
  toEntity(stored: object): object;
}

/** The name and the shape of one kind of entity in the cache. */
export interface EntitySpace {
  /** The entity's name, such as `Campaign`, which is the first half of the key. */
  readonly entity: string;
  /** A hash of the entity's columns. A body of another shape comes from another deploy. It is a miss unless it has all columns. */
  readonly shape: string;
  /** The columns one by one. Without them, only bodies of the very same shape count. */
  readonly columns?: Columns;
  /** Absent when caches hold entities as they are. */
  readonly codec?: BodyCodec | null;
}

/** The content of a key. */
export interface Entry {
  /** `null` for a negative. */
  readonly body: LoadedBody | null;
  /** The heartbeat's value when the body was read. It names the run of Redis that has received every invalidation since. */
  readonly epoch: string;
}

/** The epoch of a body that no run of Redis vouches for: it answers for lists, and not by id. */
export const NO_EPOCH = '';

/** Every lease starts with this character, which starts no JSON value. */
export const LEASE_MARK = '~';

/**
 * @param values the values of some keys; `null` where there was none
 * @returns how many of them are a body or a negative, and not a lease
 */
export function countEntries(values: readonly (string | null)[]): number {
  let entries = 0;
  for (const value of values) if (value !== null && !value.startsWith(LEASE_MARK)) entries += 1;
  return entries;
}

/**
 * @param entry the body and its epoch
 * @param id the entity's id
 * @param space the kind of entity
 * @param others values for other code versions, by the hashes of their columns
 * @returns the JSON text for the entity's key
 */
export function encodeEntry(
  { body, epoch }: Entry,
  id: string,
  { shape, columns }: EntitySpace,
  others: Readonly<Record<string, unknown>> = {},
): string {
  if (body === null) return JSON.stringify({ shape, columns: columns?.key, id, epoch, version: null, entity: null });
  const entity = body.stored ?? body.entity;
  const kept = Object.keys(others).length === 0 ? undefined : others;
  return JSON.stringify({ shape, columns: columns?.text, id, epoch, version: body.version, entity, others: kept });
}

/**
 * Reads an entry. Text that is no JSON, or that lacks a column, counts as missing. So does another entity's body, which its version would
 * not reveal: rows that were written in one transaction have the same version.
 *
 * @param text the value of the key; `null` when there is none
 * @param id the wanted entity's id
 * @param space the kind of entity
 * @returns the entry, its entity frozen; `null` when it counts as missing
 */
export function decodeEntry(text: string | null, id: string, { shape, columns, codec }: EntitySpace): Entry | null {
  const value = parseEntry(text, id);
  if (value === null) return null;
  const { epoch, version } = value;
  const isOwn = value.shape === shape;
  if (value.entity === null) return isOwn || value.columns === columns?.key ? { body: null, epoch } : null;
  if (version === null) return null;
  const shared = !isOwn && columns !== undefined && isShared(value);
  const stored = isOwn ? value.entity : shared ? columns.take(value) : null;
  if (stored === null) return null;
  const entity = codec == null ? Object.freeze(stored) : makeEntity(codec, stored);
  return entity === null ? null : { body: { version, entity }, epoch };
}

/**
 * Selects what a new body keeps of the old one under its key: values for other code versions, if both are of the same version of the row.
 * Otherwise two code versions would replace each other's entries again and again.
 *
 * @param text the old value of the key
 * @param id the entity's id
 * @param version the version of the new body
 * @param space the kind of entity
 * @returns values by the hashes of their columns
 */
export function keptForOthers(
  text: string | undefined,
  id: string,
  version: string | undefined,
  { columns }: EntitySpace,
): Record<string, unknown> {
  if (columns === undefined || text === undefined) return {};
  const value = parseEntry(text, id);
  return value !== null && value.version === version && isShared(value) ? columns.othersOf(value) : {};
}

/**
 * Anybody may have written into Redis. When no entity can be made of an entry, Postgres is read, which reports the error if there is one.
 */
function makeEntity(codec: BodyCodec, stored: object): object | null {
  try {
    return codec.toEntity(stored);
  } catch (error) {
    if (error instanceof Error) return null;
    throw error;
  }
}

interface Stored extends Partial<Omit<StoredEntity, 'entity'>> {
  readonly id: string;
  readonly epoch: string;
  readonly version: string | null;
  readonly entity: Record<string, unknown> | null;
}

function parseEntry(text: string | null, id: string): Stored | null {
  if (text === null || !text.startsWith('{')) return null;
  const value = parseJson(text);
  return isStored(value) && value.id === id ? value : null;
}

function isStored(value: unknown): value is Stored {
  if (typeof value !== 'object' || value === null) return false;
  const { epoch, version, entity, others = {} } = value as { [name in keyof Stored]?: unknown };
  return (
    typeof epoch === 'string' &&
    (typeof version === 'string' || version === null) &&
    typeof entity === 'object' &&
    !Array.isArray(entity) &&
    typeof others === 'object' &&
    others !== null
  );
}

/** Whether an entry names its columns. */
function isShared(value: Stored): value is Stored & StoredEntity {
  return typeof value.shape === 'string' && typeof value.columns === 'string' && value.entity !== null;
}
