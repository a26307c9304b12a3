const ESCAPES: Readonly<Record<string, string>> = { '%': '%25', ',': '%2C' };

/**
 * Writes the id of an entity whose key has several columns: the parts, separated by commas. In each, `%` is written `%25` and `,` is
 * written `%2C`.
 *
 * @param parts the values of the key's columns, in order
 * @returns the id
 */
export function compositeId(parts: readonly (string | number | bigint)[]): string {
  return parts.map((part) => String(part).replace(/[%,]/g, (character) => ESCAPES[character] ?? '')).join(',');
}

/**
 * Reads what `compositeId` writes.
 *
 * @param id the id
 * @returns the parts; `null` when `compositeId` would not write it so
 */
export function compositeParts(id: string): readonly string[] | null {
  const parts = id.split(',').map((part) => part.replaceAll('%2C', ',').replaceAll('%25', '%'));
  return compositeId(parts) === id ? parts : null;
}
