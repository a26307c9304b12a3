/** An entity's body as caches hold it: the entity and the version of the row that it was read from. */
export interface Body {
  readonly version: string;
  readonly entity: object;
}

/** How one kind of entity is named and shaped in the cache. */
export interface EntitySpace {
  /** The entity's name, such as `Campaign`: the first half of the key. */
  readonly entity: string;
  /** A hash of the entity's columns. A body of another shape, as written before or after a deploy, is a miss. */
  readonly shape: string;
}

/** What a key held: a body, `null` for an entity known not to exist, `undefined` for nothing of use. */
export type Entry = Body | null | undefined;

/** Every lease starts with a character that no JSON value starts with. */
export const LEASE_MARK = '~';

/**
 * @param body the body, or `null` for an entity that does not exist
 * @param shape the entity's shape today
 * @returns the JSON text kept under the entity's key
 */
export function encodeEntry(body: Body | null, shape: string): string {
  return JSON.stringify({ shape, version: body?.version ?? null, entity: body?.entity ?? null });
}

/**
 * Reads what a cache held. Text that is not JSON, or is of another shape, is no error: it is as good as nothing.
 *
 * @param text the value under the key; `null` when there is none
 * @param shape the entity's shape today
 * @returns the frozen body, `null` for an entity known not to exist, `undefined` when nothing of use is there
 */
export function decodeEntry(text: string | null, shape: string): Entry {
  if (text === null || !text.startsWith('{')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!isStored(value) || value.shape !== shape) return undefined;
  if (value.entity === null) return null;
  if (value.version === null) return undefined;
  return { version: value.version, entity: Object.freeze(value.entity) };
}

function isStored(value: unknown): value is { shape: string; version: string | null; entity: object | null } {
  if (typeof value !== 'object' || value === null) return false;
  const { version, entity } = value as { version?: unknown; entity?: unknown };
  return (typeof version === 'string' || version === null) && typeof entity === 'object' && !Array.isArray(entity);
}
