import { parseJson } from './parse-json.ts';

/** An entity's body as caches hold it: the entity and the version of the row that it was read from. */
export interface Body {
  readonly version: string;
  readonly entity: object;
}

/** A body as it is read from Postgres. */
export interface LoadedBody extends Body {
  /** What caches hold of the entity, where that is something else. */
  readonly stored?: object | undefined;
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
  /** A hash of the entity's columns. A body of another shape, as written before or after a deploy, is a miss. */
  readonly shape: string;
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
 * @param shape the entity's shape today
 * @returns the JSON text kept under the entity's key
 */
export function encodeEntry({ body, epoch }: Entry, id: string, shape: string): string {
  const entity = body === null ? null : (body.stored ?? body.entity);
  return JSON.stringify({ shape, id, epoch, version: body?.version ?? null, entity });
}

/**
 * Reads what a cache held. Text that is not JSON, or is of another shape, is no error: it is as good as nothing. So is the
 * body of another entity, which a version would not tell: rows that were written together have the same.
 *
 * @param text the value under the key; `null` when there is none
 * @param id the id of the entity that is wanted
 * @param space the kind of entity
 * @returns the entry, its entity frozen; `null` when nothing of use is there
 */
export function decodeEntry(text: string | null, id: string, { shape, codec }: EntitySpace): Entry | null {
  if (text === null || !text.startsWith('{')) return null;
  const value = parseJson(text);
  if (!isStored(value) || value.shape !== shape || value.id !== id) return null;
  const { epoch, version, entity } = value;
  if (entity === null) return { body: null, epoch };
  if (version === null) return null;
  if (codec == null) return { body: { version, entity: Object.freeze(entity) }, epoch };
  const made = makeEntity(codec, entity);
  return made === null ? null : { body: { version, entity: made }, epoch };
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

interface Stored {
  readonly shape: string;
  readonly id: string;
  readonly epoch: string;
  readonly version: string | null;
  readonly entity: object | null;
}

function isStored(value: unknown): value is Stored {
  if (typeof value !== 'object' || value === null) return false;
  const { epoch, version, entity } = value as { [name in keyof Stored]?: unknown };
  return (
    typeof epoch === 'string' &&
    (typeof version === 'string' || version === null) &&
    typeof entity === 'object' &&
    !Array.isArray(entity)
  );
}
