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
  /** What caches hold of the entity, where that is something else. */
  readonly stored?: object | undefined;
}

/**
 * @param body a body as it was read
 * @returns what memory and requests have use for: not what caches hold in its place
 */
export function entityAlone(body: LoadedBody): Body {
  return body.stored === undefined ? body : { version: body.version, entity: body.entity };
}

/** How entities are made of what caches hold of them, where that is something else: JSON carries no Date and no bigint. */
export interface BodyCodec {
  /**
   * @param stored what caches hold
   * @returns the entity, frozen through and through
   * @throws when it is not what was stored
   */
  toEntity(stored: object): object;
}

/** How one kind of entity is named and shaped in the cache. */
export interface EntitySpace {
  /** The entity's name, such as `Campaign`: the first half of the key. */
  readonly entity: string;
  /** A hash of the entity's columns. A body of another shape, as written before or after a deploy, is a miss unless it has them all. */
  readonly shape: string;
  /** The columns by themselves; without them bodies of the very same shape alone are of use. */
  readonly columns?: Columns;
  /** Absent when caches hold entities as they are. */
  readonly codec?: BodyCodec | null;
}

/** What a key held. */
export interface Entry {
  /** `null` for an entity known not to exist. */
  readonly body: LoadedBody | null;
  /** The heartbeat's value when the body was read: which run of Redis has seen every invalidation since. */
  readonly epoch: string;
}

/** The epoch of a body that no run of Redis vouches for: it answers for lists, and not by id. */
export const NO_EPOCH = '';

/** Every lease starts with a character that no JSON value starts with. */
export const LEASE_MARK = '~';

/**
 * @param values what stood under some keys; `null` where there was nothing
 * @returns how many of them are a body or a negative, and not a lease
 */
export function countEntries(values: readonly (string | null)[]): number {
  let entries = 0;
  for (const value of values) if (value !== null && !value.startsWith(LEASE_MARK)) entries += 1;
  return entries;
}

/**
 * @param entry the body and its epoch
 * @param id the id of the entity that it is the body of
 * @param space the kind of entity
 * @param others values that other versions of the code want, by the hashes of their columns
 * @returns the JSON text kept under the entity's key
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
 * Reads what a cache held. Text that is not JSON, or lacks a column, is no error: it is as good as nothing. So is the
 * body of another entity, which a version would not tell: rows that were written together have the same.
 *
 * @param text the value under the key; `null` when there is none
 * @param id the id of the entity that is wanted
 * @param space the kind of entity
 * @returns the entry, its entity frozen; `null` when nothing of use is there
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
 * What a body keeps of the one that it takes the place of: of the same version of the row, what other versions of the code want. Each
 * would push out what the other needs.
 *
 * @param text what stood under the key
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

/** What is in Redis may have been written by anybody: what no entity can be made of is read from Postgres, which says why if it must. */
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

/** Whether an entry says what its columns are. */
function isShared(value: Stored): value is Stored & StoredEntity {
  return typeof value.shape === 'string' && typeof value.columns === 'string' && value.entity !== null;
}
