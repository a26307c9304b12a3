/** A global id as Pothos' relay plugin writes it, so that every Relay peer answers the same ids. */
export function encodeId(typename: string, id: string): string {
  return Buffer.from(`${typename}:${id}`).toString('base64');
}

/** The database id in a global id of a type; `null` for anything else. */
export function decodeId(typename: string, globalId: string): string | null {
  const [type, id] = Buffer.from(globalId, 'base64').toString('utf8').split(':');
  return type === typename && id !== undefined && /^[1-9]\d{0,17}$/.test(id) ? id : null;
}
