import { LRUCache } from 'lru-cache';
import type { Body } from './entry.ts';

/** A body in this process, or `null` for an entity known not to exist, with the time it was read at. */
interface Held {
  readonly body: Body | null;
  /** Milliseconds on the monotonic clock. */
  readonly readAt: number;
}

/** The tier in this process' memory, bounded by the number of bodies. */
export class MemoryTier {
  readonly #held: LRUCache<string, Held>;
  readonly #ttlMs: number;
  #trustedSince = 0;

  /**
   * @param maxEntries how many bodies are kept; the least recently used go first
   * @param ttlMs how long a body may answer a read by id, in milliseconds
   */
  constructor(maxEntries: number, ttlMs: number) {
    this.#held = new LRUCache({ max: maxEntries });
    this.#ttlMs = ttlMs;
  }

  /**
   * Looks up a body whose version a list has named; however old it is, an equal version means it is the row.
   *
   * @param key the cache key
   * @param version the version the list named
   * @returns the body; `undefined` when there is none of that version
   */
  ofVersion(key: string, version: string): Body | undefined {
    const body = this.#held.get(key)?.body;
    return body?.version === version ? body : undefined;
  }

  /**
   * Looks up a body that nothing vouches for but its age.
   *
   * @param key the cache key
   * @returns the body, `null` for an entity known not to exist, `undefined` when there is none young enough
   */
  young(key: string): Body | null | undefined {
    const held = this.#held.get(key);
    if (held === undefined || held.readAt < this.#trustedSince) return undefined;
    return performance.now() - held.readAt < this.#ttlMs ? held.body : undefined;
  }

  /**
   * Says whether this process hears of invalidations. Until it does, age alone vouches for nothing.
   *
   * @param trusted whether what is read from now on may answer reads by id
   */
  trust(trusted: boolean): void {
    this.#trustedSince = trusted ? performance.now() : Number.POSITIVE_INFINITY;
  }

  /**
   * @param key the cache key
   * @param body what was read; `null` for an entity that does not exist
   * @param readAt when its reading began, in milliseconds on the monotonic clock
   */
  set(key: string, body: Body | null, readAt: number): void {
    this.#held.set(key, { body, readAt });
  }

  /** @param key the cache key to forget */
  delete(key: string): void {
    this.#held.delete(key);
  }
}
