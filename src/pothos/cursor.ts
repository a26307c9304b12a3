import type { Position, SortKey } from '../lists/page-request.ts';

/**
 * Writes a cursor: the list, its order, and the sort key as SQL text, so that no digit is lost.
 *
 * @param list the list's name
 * @param order the list's order
 * @param position a position in it
 * @returns opaque base64
 */
export function encodeCursor(list: string, order: string, position: Position): string {
  return Buffer.from(JSON.stringify([list, order, position.key, position.id])).toString('base64');
}

/**
 * Reads a cursor that a client sent.
 *
 * @param cursor the client's text
 * @param list the expected list
 * @param order the expected order
 * @returns the position, of which only the form is checked; `null` when the text is no cursor of that list and order
 */
export function decodeCursor(cursor: string, list: string, order: string): Position | null {
  const text = Buffer.from(cursor, 'base64').toString('utf8');
  if (Buffer.from(text).toString('base64') !== cursor) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  if (!Array.isArray(value) || value.length !== 4 || value[0] !== list || value[1] !== order) return null;
  const [, , key, id] = value as unknown[];
  if (typeof id !== 'string' || !isSortKey(key)) return null;
  return { key, id };
}

function isSortKey(key: unknown): key is SortKey {
  const isValue = (value: unknown) => value === null || typeof value === 'string';
  return isValue(key) || (Array.isArray(key) && key.every(isValue));
}
