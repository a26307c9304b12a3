import { sharedStatement } from '../postgres/shared-statement.ts';
import type { Trace } from '../trace/trace.ts';

/** Reads something of each row: for each id that there is. */
export type ReadRows<T> = (ids: string[], trace: Trace) => Promise<Map<string, T>>;

/**
 * Lets requests that come to miss bodies, or ask for versions, in the same turn of the event loop read them by one statement. It is sent after
 * all who share it have asked, hence after their leases, so that what it brings is as new for each as its own statement would have brought it.
 *
 * @param name what the statement is called in figures
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
