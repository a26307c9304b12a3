import { LRUCache } from 'lru-cache';
import type { Trace } from '../trace/trace.ts';
import type { Body } from './entry.ts';
import type { Bodies } from './flights.ts';
import type { Loader, Want } from './read-through.ts';

/**
 * A replica of the database named the wanted versions. They may be older than cached bodies. A newer body stays in the caches, and the
 * older one is read at the replica and kept nowhere.
 */
export interface Lagging {
  /** Everything that was committed before this time has reached the replica, in milliseconds on the monotonic clock. */
  readonly asOf: number;
  /** Reads rows at the replica. */
  readonly load: Loader;
}

/** How many bodies are remembered. */
const MOST = 10_000;

/**
 * Bodies that were found in another version than a replica named, and when. A body that was found before the time that the replica has
 * reached is older than the replica's. Others may be newer.
 */
export class Sightings {
  readonly #seen = new LRUCache<string, number>({ max: MOST });

  /**
   * @param key the cache key
   * @param version the version that a cache holds; `null` for a negative
   * @param asOf as of when the replica named another version, in milliseconds on the monotonic clock
   * @param now the time
   * @returns whether the cached body may be newer
   */
  mayBeNewer(key: string, version: string | null, asOf: number, now: number): boolean {
    const name = `${version ?? ''} ${key}`;
    const seen = this.#seen.get(name);
    if (seen === undefined) this.#seen.set(name, now);
    return seen === undefined || asOf <= seen;
  }
}

/**
 * Reads at the replica what was left out since a body that may be newer stays.
 *
 * @param bodies what was read, by id
 * @param wants what was wanted
 * @param load reads rows at the replica
 * @param trace the request's trace
 * @param entity the entity's name
 * @returns a body for each that was wanted, `null` for what there is not
 * @throws what `load` throws
 */
export async function withLacking(
  bodies: Bodies,
  wants: readonly Want[],
  load: Loader,
  trace: Trace,
  entity: string,
): Promise<Bodies> {
  const ids = wants.flatMap(({ id }) => (bodies.has(id) ? [] : [id]));
  if (ids.length === 0) return bodies;
  const rows = await load(ids, trace);
  trace.entity(entity).misses += ids.length;
  const all = new Map<string, Body | null>(bodies);
  for (const id of ids) {
    const row = rows.get(id);
    all.set(id, row === undefined ? null : { version: row.version, entity: row.entity });
  }
  return all;
}
