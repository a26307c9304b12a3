import type { LoadedBody } from '../cache/entry.ts';
import type { Loader } from '../cache/read-through.ts';
import { byTurn } from '../lists/by-turn.ts';
import { Trace } from '../trace/trace.ts';

/** Bodies that a request has found in no cache. */
interface Group {
  readonly ids: string[];
  readonly trace: Trace;
}

/** More bodies than this are a statement's worth of work. */
const MAX_IDS = 32;

/**
 * Lets requests that come to miss bodies in the same turn of the event loop read them by one statement. It is sent after all who
 * share it have asked, hence after their leases, so that what it brings is as new for each as its own statement would have brought it.
 *
 * @param name what the statement is called in figures
 * @param load reads bodies
 * @returns the same, shared; a trace counts the statement as if it had been its own
 */
export function sharedBodies(name: string, load: Loader): Loader {
  const shared = byTurn<Group, Map<string, LoadedBody>>({
    apart: ({ ids, trace }) => load(ids, trace),
    together: async (groups) => {
      const trace = Trace.ofAll(groups.map((group) => group.trace));
      let bodies = new Map<string, LoadedBody>();
      try {
        bodies = await load([...new Set(groups.flatMap(({ ids }) => ids))], trace);
      } finally {
        for (const group of groups) {
          const rows = group.ids.reduce((count, id) => (bodies.has(id) ? count + 1 : count), 0);
          group.trace.sharedStatement(name, trace, rows);
        }
      }
      return groups.map(() => bodies);
    },
  });
  return async (ids, trace) =>
    trace.ownStatements || ids.length > MAX_IDS ? load(ids, trace) : shared({ ids, trace });
}
