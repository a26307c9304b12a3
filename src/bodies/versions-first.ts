import type { ReadBodies } from './body-reader.ts';
import type { ReadRows } from './shared-rows.ts';

/**
 * Makes a function that reads bodies by id where changes are not noticed. It asks Postgres for the versions first, as a list does, and
 * caches supply only bodies of these versions. It asks again even for what the request has read before.
 *
 * @param versions reads the versions of rows
 * @param read reads bodies
 * @returns reads bodies as new as the statement for their versions; throws what the reading throws
 */
export function versionsFirst(versions: ReadRows<string>, read: ReadBodies): ReadBodies {
  return async (wants, scope) => {
    const named = await versions([...new Set(wants.map(({ id }) => id))], scope.trace);
    const refs = wants.flatMap(({ id }) => {
      const version = named.get(id);
      return version === undefined ? [] : [{ id, version }];
    });
    const bodies = await read(refs, scope);
    let next = 0;
    return wants.map(({ id }) => (named.has(id) ? (bodies[next++] ?? null) : null));
  };
}
