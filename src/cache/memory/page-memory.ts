import { LRUCache } from 'lru-cache';
import type { Body, EntitySpace } from '../entry.ts';
import { bytesOf, textBytes } from './size.ts';
import type { MemoryLimits, MemoryUse } from './tier.ts';

/** A page, and what it takes in memory, about, in bytes. */
interface HeldPage {
  readonly bodies: readonly Body[];
  readonly bytes: number;
}

/**
 * The bodies of whole pages, by what a list said of them: ids and versions. A page that is named again in the same words has the same
 * bodies, so that one look answers for all of them. That is no cache of lists: Postgres has just said what the page is, and for the same
 * reason nothing here has to be invalidated. A body that is used by way of its page alone is not used in the other tiers meanwhile: they
 * may drop it, and nobody puts it back before it is asked for by itself. So it counts here and there.
 */
export class PageMemory {
  readonly #pages: LRUCache<string, HeldPage>;
  #bodies = 0;
  #bytes = 0;

  /** @param limits how many bodies the pages may have together, and what they may take; the least recently used pages go first */
  constructor({ entries, bytes }: MemoryLimits) {
    // Where each body takes at least its part of the bytes, the one bound holds the other.
    const least = bytes / entries;
    this.#pages = new LRUCache({
      maxSize: Math.max(1, bytes),
      sizeCalculation: (page) => Math.floor(Math.max(page.bytes, page.bodies.length * least)),
      onInsert: (page) => this.#count(page, 1),
      dispose: (page) => this.#count(page, -1),
    });
  }

  /**
   * @param space the kind of entity
   * @param named the ids and versions of the page, as one text
   * @returns the bodies, in order; `undefined` when they were not kept, or not for so long
   */
  get({ entity }: EntitySpace, named: string): readonly Body[] | undefined {
    return this.#pages.get(entity + named)?.bodies;
  }

  /**
   * @param space the kind of entity
   * @param named the ids and versions of the page, as one text
   * @param bodies the bodies in these versions, in order; at least one
   */
  set({ entity }: EntitySpace, named: string, bodies: readonly Body[]): void {
    let bytes = textBytes(named);
    for (const body of bodies) bytes += bytesOf(body);
    this.#pages.set(entity + named, { bodies, bytes });
  }

  /** @returns how many bodies the pages have, and what they take */
  use(): MemoryUse {
    return { entries: this.#bodies, bytes: this.#bytes };
  }

  #count({ bodies, bytes }: HeldPage, sign: 1 | -1): void {
    this.#bodies += sign * bodies.length;
    this.#bytes += sign * bytes;
  }

  /** Forgets everything. */
  clear(): void {
    this.#pages.clear();
  }
}
