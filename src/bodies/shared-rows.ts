import { byTurn } from '../lists/by-turn.ts';
import { Trace } from '../trace/trace.ts';

/** Reads something of each row: for each id that there is. */
export type ReadRows<T> = (ids: string[], trace: Trace) => Promise<Map<string, T>>;

/** What a request wants of rows. */
interface Group {
  readonly ids: string[];
  readonly trace: Trace;
}

/** More rows than this are a statement's worth of work. */
const MAX_IDS = 32;

/**
 * Lets requests that come to miss bodies, or ask for versions, in the same turn of the event loop read them by one statement. It is sent after
 * all who share it have asked, hence after their leases, so that what it brings is as new for each as its own statement would have brought it.
 *
 * @param name what the statement is called in figures
 * @param load reads rows
 * @returns the same, shared; a trace counts the statement as if it had been its own
 */
export function sharedRows<T>(name: string, load: ReadRows<T>): ReadRows<T> {
  const shared = byTurn<Group, Map<string, T>>({
    apart: ({ ids, trace }) => load(ids, trace),
    together: async (groups) => {
      const trace = Trace.ofAll(groups.map((group) => group.trace));
      let found = new Map<string, T>();
      try {
        found = await load([...new Set(groups.flatMap(({ ids }) => ids))], trace);
      } finally {
        for (const group of groups) {
          const rows = group.ids.reduce((count, id) => (found.has(id) ? count + 1 : count), 0);
          group.trace.sharedStatement(name, trace, rows);
        }
      }
      return groups.map(() => found);
    },
  });
  return async (ids, trace) =>
    trace.ownStatements || ids.length > MAX_IDS ? load(ids, trace) : shared({ ids, trace });
}
