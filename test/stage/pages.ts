import type { History, Reading } from './history.ts';
import { LAST_GIVEN_ID } from './rows.ts';

/** A request for everything that a list has. */
export const WHOLE_PAGE = {
  order: 'ID',
  direction: 'ASC',
  limit: 1000,
  backward: false,
  needs: { rows: true, entities: true, positions: false, total: false, flags: false },
} as const;

/**
 * The mark that an entity carries, after a check that all of its texts carry the same.
 *
 * @param entity what a repository returned
 * @param history told of a body that was put together from two states
 * @returns the mark; `null` for `null`
 */
export function markOf(entity: object | null, history: History): string | null {
  if (entity === null) return null;
  const { id, name, title = name, body = title } = entity as Record<string, string>;
  if (title !== body) history.violation(`an entity with id ${id} has the title ${title} and the body ${body}`);
  return title ?? '';
}

/**
 * Judges a page that has all entities of the history whose keys begin so: those on it, and those that are not.
 *
 * @param history the history
 * @param reading the read
 * @param prefix how the keys begin
 * @param items the page's items
 * @param onList whether an entity would be on this list if it existed
 */
export function sawPage(
  history: History,
  reading: Reading,
  prefix: string,
  items: readonly { readonly id: string; readonly entity: object | null }[],
  onList: (id: string) => boolean = () => true,
): void {
  const found = new Map(items.map((item) => [`${prefix}${item.id}`, item.entity]));
  for (const key of history.keys()) {
    const id = key.slice(prefix.length);
    if (!key.startsWith(prefix) || found.has(key) || !onList(id)) continue;
    // What was created and deleted again long ago would be counted with every list that it is not on.
    if (Number(id) <= LAST_GIVEN_ID || history.newest(key) !== null) reading.saw(key, null);
  }
  for (const [key, entity] of found) reading.saw(key, markOf(entity, history));
}
