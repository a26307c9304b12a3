/**
 * @param prefix put before every key
 * @param entity the entity's name
 * @param id its id
 * @returns the key of its body in every tier
 */
export function cacheKey(prefix: string, entity: string, id: string): string {
  return `${prefix}${entity}-${id}`;
}

/** Writes the key of what is wanted of a kind of entity. */
export type KeyWriter = (kind: { readonly entity: string }, want: { readonly id: string }) => string;

/**
 * @param prefix put before every key
 * @returns writes the key of what is wanted, and what the keys of a kind begin with but once: written anew for each body, that took as
 *   long as to look the body up
 */
export function keyWriter(prefix: string): KeyWriter {
  const starts = new Map<string, string>();
  return ({ entity }, { id }) => {
    let start = starts.get(entity);
    if (start === undefined) {
      start = cacheKey(prefix, entity, '');
      starts.set(entity, start);
    }
    return start + id;
  };
}
