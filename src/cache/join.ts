import type { CacheCounts } from '../trace/cache-counts.ts';
import type { Trace } from '../trace/trace.ts';
import type { Body } from './entry.ts';
import type { Bodies, Flight } from './flights.ts';
import type { Want } from './read-through.ts';

/** How much time is worth another reading, in milliseconds. */
const LEAST_MS = 100;

/**
 * Waits for another reading, and reads again what that does not answer. Where the time of the other request was over before that of this one,
 * that is all of it, unless this one has next to no time left itself: of many, each would then wait for the next.
 *
 * @param flight the other reading
 * @param wants what is wanted of it
 * @param entity the entity's name
 * @param trace the request's trace
 * @param remains says whether a body of another version remains and is left out
 * @param readAgain reads what the flight does not answer, at least one
 * @param readAnew reads all, as if the flight had not been
 * @returns what is found, by id
 * @throws what either reading throws
 */
export async function join(
  flight: Flight,
  wants: readonly Want[],
  entity: string,
  trace: Trace,
  remains: (want: Want, version: string | null) => boolean,
  readAgain: (wants: readonly Want[]) => Promise<Bodies>,
  readAnew: (wants: readonly Want[]) => Promise<Bodies>,
): Promise<Bodies> {
  const bodies = await flight.bodies.catch((error: unknown) => {
    if (!flight.trace.outOfTime || trace.started - flight.trace.started < LEAST_MS) throw error;
    return null;
  });
  if (bodies === null) return readAnew(wants);
  const { found, again } = take(bodies, wants, remains, trace.entity(entity));
  if (again.length > 0) for (const [id, body] of await readAgain(again)) found.set(id, body);
  return found;
}

/**
 * Takes what a reading that was joined answers. A body of another version than a list named may be older, so it is to be read again. So are, by
 * id, a body that is for lists alone, and what that reading has left out.
 */
function take(
  bodies: Bodies,
  wants: readonly Want[],
  remains: (want: Want, version: string | null) => boolean,
  counts: CacheCounts,
): { readonly found: Map<string, Body | null>; readonly again: readonly Want[] } {
  const found = new Map<string, Body | null>();
  const again: Want[] = [];
  for (const want of wants) {
    const body = bodies.get(want.id);
    if (body === undefined || (want.version === null && body?.isForLists === true)) again.push(want);
    else if (want.version !== null && body?.version !== want.version) {
      if (!remains(want, body?.version ?? null)) again.push(want);
    } else {
      found.set(want.id, body);
      counts[body === null ? 'joinedNegatives' : 'joined'] += 1;
      counts[body === null ? 'negative' : 'hits'] += 1;
    }
  }
  return { found, again };
}
