import type { CacheCounts } from '../trace/cache-counts.ts';
import type { Body } from './entry.ts';
import type { Bodies, Flight } from './flights.ts';
import type { Want } from './read-through.ts';

/**
 * Waits for another reading, and reads again what that does not answer.
 *
 * @param flight the other reading
 * @param wants what is wanted of it
 * @param remains says whether a body of another version remains and is left out
 * @param counts counts what is found
 * @param readAgain reads what the flight does not answer, at least one
 * @returns what is found, by id
 * @throws what either reading throws
 */
export async function join(
  flight: Flight,
  wants: readonly Want[],
  remains: (want: Want, version: string | null) => boolean,
  counts: CacheCounts,
  readAgain: (wants: readonly Want[]) => Promise<Bodies>,
): Promise<Bodies> {
  const { found, again } = take(await flight.bodies, wants, remains, counts);
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
