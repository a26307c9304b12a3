import { sharedStatement } from '../postgres/shared-statement.ts';
import type { Trace } from '../trace/trace.ts';

/** Reads something of each row that exists, by id. */
export type ReadRows<T> = (ids: string[], trace: Trace) => Promise<Map<string, T>>;

/**
 * Lets requests share a statement when they miss bodies, or ask for versions, in the same turn of the event loop. It is sent after all of
 * them have asked, and so after their leases. So its rows are as new for each request as those of its own statement.
 *
 * @param name the statement's name in metrics
 * @param load reads rows
 * @returns the same, shared
 */
export function sharedRows<T>(name: string, load: ReadRows<T>): ReadRows<T> {
  return sharedStatement<string[], Map<string, T>>({
    name,
    size: (ids) => ids.length,
    rowsFor: (ids, rows) => ids.reduce((count, id) => (rows.has(id) ? count + 1 : count), 0),
    read: async (asked, trace) => {
      const rows = await load(asked.length === 1 ? (asked[0] as string[]) : [...new Set(asked.flat())], trace);
      return asked.map(() => rows);
    },
  });
}
