import type { CacheCounts } from '../trace/cache-counts.ts';
import type { Body } from './entry.ts';
import type { Bodies } from './flights.ts';
import type { Want } from './read-through.ts';

/**
 * Takes what a reading that was joined answers. A body of another version than a list named may be older, so it is to be read again. So are, by
 * id, a body that is for lists alone, and what that reading has left out.
 *
 * @param bodies what was read
 * @param wants what is wanted of it
 * @param remains says whether a body of another version remains and is left out
 * @param counts counts what is found
 * @returns what is found, by id, and what is to be read again
 */
export function joined(
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
