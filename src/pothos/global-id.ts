/**
 * Writes a global id in Pothos' default encoding (Relay Global Object Identification, section 2).
 *
 * @param typename the entity's type
 * @param id its database id
 * @returns base64 of `Type:id`
 */
export function encodeGlobalId(typename: string, id: string): string {
  return Buffer.from(`${typename}:${id}`).toString('base64');
}

/**
 * Reads a global id that a client sent. Everything after the first colon is the database id, since a text key may contain colons.
 *
 * @param globalId the client's text
 * @returns the type's name and the database id, both unchecked; `null` when the text is not exactly what `encodeGlobalId` writes
 */
export function decodeGlobalId(globalId: string): { typename: string; id: string } | null {
  const text = Buffer.from(globalId, 'base64').toString('utf8');
  const end = text.indexOf(':');
  if (end < 1 || Buffer.from(text).toString('base64') !== globalId) return null;
  return { typename: text.slice(0, end), id: text.slice(end + 1) };
}

/**
 * Marks an argument that takes global ids, so that a developer can be warned of other texts.
 *
 * @param typename the type whose ids it takes; `null` for those of all types
 * @returns extensions for the argument
 */
export function globalIdOf(typename: string | null): { readonly globalIdOf: string | null } {
  return { globalIdOf: typename };
}

/**
 * @param extensions the extensions of an argument
 * @returns the type whose global ids it takes, `null` for all types; `undefined` when it takes no global ids
 */
export function expectedId(extensions: Readonly<Record<string, unknown>>): string | null | undefined {
  return extensions.globalIdOf as string | null | undefined;
}
