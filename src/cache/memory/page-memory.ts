import { LRUCache } from 'lru-cache';
import type { Body, EntitySpace } from '../entry.ts';
import { PageTexts } from './page-texts.ts';
import { bytesOf, textBytes } from './size.ts';
import type { MemoryLimits, MemoryUse } from './tier.ts';

/** A page. */
export interface HeldPage {
  readonly bodies: readonly Body[];
  /** The texts that were written of it. */
  readonly texts: PageTexts;
}

/** A page, and its approximate size in memory, in bytes. */
interface Sized extends HeldPage {
  readonly bytes: number;
}

/**
 * The bodies of whole pages, under the ids and versions that a list named. A page that is named again in the same way has the same bodies,
 * so one lookup answers for all of them. This is no cache of lists: Postgres has just said what the page is. For the same reason, nothing
 * here has to be invalidated.
 *
 * A body that is only used through its page is not used in the other tiers. They may drop it, and a later read by itself misses. So each
 * body counts in both places.
 */
export class PageMemory {
  readonly #pages: LRUCache<string, Sized>;
  #bodies = 0;
  #bytes = 0;

  /** @param limits how many bodies all pages may have, and how many bytes they may take; the least recently used pages go first */
  constructor({ entries, bytes }: MemoryLimits) {
    // Each body takes at least its share of the bytes, so the limit of bytes implies that of bodies.
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
   * @returns the page; `undefined` when it is not there
   */
  get({ entity }: EntitySpace, named: string): HeldPage | undefined {
    return this.#pages.get(entity + named);
  }

  /**
   * @param space the kind of entity
   * @param named the ids and versions of the page, as one text
   * @param bodies the bodies in these versions, in order; at least one
   */
  set({ entity }: EntitySpace, named: string, bodies: readonly Body[]): void {
    let bytes = textBytes(named);
    for (const body of bodies) bytes += bytesOf(body);
    const key = entity + named;
    // Texts may double the size of a page, where there is room.
    const texts = new PageTexts(2 * bytes > this.#pages.maxSize ? 0 : bytes, (more) => {
      if (this.#pages.peek(key)?.texts === texts) this.#pages.set(key, { bodies, texts, bytes: bytes + more });
    });
    this.#pages.set(key, { bodies, texts, bytes });
  }

  /** @returns how many bodies the pages have, and how many bytes they take */
  use(): MemoryUse {
    return { entries: this.#bodies, bytes: this.#bytes };
  }

  #count({ bodies, bytes }: Sized, sign: 1 | -1): void {
    this.#bodies += sign * bodies.length;
    this.#bytes += sign * bytes;
  }

  /** Forgets everything. */
  clear(): void {
    this.#pages.clear();
  }
}
