import { LRUCache } from 'lru-cache';
import type { Body } from './entry.ts';

/** A body in this process. */
export interface Held {
  /** `null` for an entity known not to exist. */
  readonly body: Body | null;
  /** When its reading began, or the list that named its version was asked for, in milliseconds on the monotonic clock. */
  readonly since: number;
  /** When it ceases to answer reads by id, whatever was heard meanwhile. */
  readonly until: number;
}

/** The tier in this process' memory, bounded by the number of bodies. What it holds may be used for is the cache's matter. */
export class MemoryTier {
  readonly #held: LRUCache<string, Held>;

  /** @param maxEntries how many bodies are kept; the least recently used go first */
  constructor(maxEntries: number) {
    this.#held = new LRUCache({ max: maxEntries });
  }

  /**
   * @param key the cache key
   * @returns what is held under it
   */
  get(key: string): Held | undefined {
    return this.#held.get(key);
  }

  /**
   * @param key the cache key
   * @param held what was read
   */
  set(key: string, held: Held): void {
    this.#held.set(key, held);
  }

  /** @param key the cache key to forget */
  delete(key: string): void {
    this.#held.delete(key);
  }

  /** Forgets everything. */
  clear(): void {
    this.#held.clear();
  }
}
