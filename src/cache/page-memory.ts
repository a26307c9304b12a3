import { LRUCache } from 'lru-cache';
import type { Body, EntitySpace } from './entry.ts';

/**
 * The bodies of whole pages, by what a list said of them: ids and versions. A page that is named again in the same words has the same
 * bodies, so that one look answers for all of them. That is no cache of lists: Postgres has just said what the page is, and for the same
 * reason nothing here has to be invalidated. A body that is used by way of its page alone is not used in the other tiers meanwhile: they
 * may drop it, and nobody puts it back before it is asked for by itself.
 */
export class PageMemory {
  readonly #pages: LRUCache<string, readonly Body[]>;

  /** @param maxBodies how many bodies the pages may have together; the least recently used pages go first */
  constructor(maxBodies: number) {
    this.#pages = new LRUCache({ maxSize: maxBodies, sizeCalculation: (bodies) => bodies.length });
  }

  /**
   * @param space the kind of entity
   * @param named the ids and versions of the page, as one text
   * @returns the bodies, in order; `undefined` when they were not kept, or not for so long
   */
  get({ entity }: EntitySpace, named: string): readonly Body[] | undefined {
    return this.#pages.get(entity + named);
  }

  /**
   * @param space the kind of entity
   * @param named the ids and versions of the page, as one text
   * @param bodies the bodies in these versions, in order; at least one
   */
  set({ entity }: EntitySpace, named: string, bodies: readonly Body[]): void {
    this.#pages.set(entity + named, bodies);
  }

  /** Forgets everything. */
  clear(): void {
    this.#pages.clear();
  }
}
