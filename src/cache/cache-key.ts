/**
 * @param prefix comes before every key
 * @param entity the entity's name
 * @param id its id
 * @returns the key of its body in every tier
 */
export function cacheKey(prefix: string, entity: string, id: string): string {
  return `${prefix}${entity}-${id}`;
}

/** Writes the key of an entity. */
export type KeyWriter = (kind: { readonly entity: string }, want: { readonly id: string }) => string;

/**
 * @param prefix comes before every key
 * @returns writes keys; it makes the beginning for each kind of entity only once, since that takes as long as a lookup
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
