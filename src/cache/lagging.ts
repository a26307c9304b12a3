import { LRUCache } from 'lru-cache';
import type { Loader } from './read-through.ts';

/**
 * What named the versions that are wanted was a replica of the database: they may be older than what caches hold, which then stays. Such
 * a body is read at the replica and kept nowhere.
 */
export interface Lagging {
  /** The replica has everything that was committed before, in milliseconds on the monotonic clock. */
  readonly asOf: number;
  /** Reads rows at the replica. */
  readonly load: Loader;
}

/** How many bodies are remembered. */
const MOST = 10_000;

/**
 * Bodies that were found in another version than a replica named, and when. One that was there before the moment that the replica is known
 * to have reached is older than what the replica has; the others may be newer.
 */
export class Sightings {
  readonly #seen = new LRUCache<string, number>({ max: MOST });

  /**
   * @param key the cache key
   * @param version the version that a cache holds; `null` for what is known not to exist
   * @param asOf as of when the replica named another, in milliseconds on the monotonic clock
   * @param now the time
   * @returns whether what the cache holds may be newer
   */
  mayBeNewer(key: string, version: string | null, asOf: number, now: number): boolean {
    const name = `${version ?? ''} ${key}`;
    const seen = this.#seen.get(name);
    if (seen === undefined) this.#seen.set(name, now);
    return seen === undefined || asOf <= seen;
  }
}
