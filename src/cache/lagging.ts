import { LRUCache } from 'lru-cache';
import type { Loader } from './read-through.ts';

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
