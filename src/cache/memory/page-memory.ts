import { LRUCache } from 'lru-cache';
import type { Body, EntitySpace } from '../entry.ts';
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

/** A part of a text. A long one is in UTF-8, so that writing it is only a copy. */
export type Piece = string | Buffer;

/** The approximate size of a piece beside its text, in bytes. */
const PIECE_BYTES = 100;

/**
 * The texts that have been written of a page in memory, by the selection of its bodies. A page is known by ids and versions, so its bodies
 * never change, and the texts need no invalidation either. They go when the page goes.
 */
export class PageTexts {
  readonly #room: number;
  readonly #taken: (bytes: number) => void;
  readonly #kept = new Map<object, readonly Piece[]>();
  #bytes = 0;

  /**
   * @param room the most bytes that all texts may take
   * @param taken told how many bytes they take, whenever that changes
   */
  constructor(room: number, taken: (bytes: number) => void) {
    this.#room = room;
    this.#taken = taken;
  }

  /**
   * @param selection the selection, the same object each time
   * @param make writes its text, in pieces
   * @returns the pieces, from an earlier call if they were kept
   */
  of(selection: object, make: () => readonly Piece[]): readonly Piece[] {
    const kept = this.#kept.get(selection);
    if (kept !== undefined) return kept;
    const pieces = make();
    const bytes = pieces.reduce((sum, { length }) => sum + PIECE_BYTES + length, 0);
    if (bytes > this.#room) return pieces;
    if (this.#bytes + bytes > this.#room) {
      this.#kept.clear();
      this.#bytes = 0;
    }
    this.#kept.set(selection, pieces);
    this.#bytes += bytes;
    this.#taken(this.#bytes);
    return pieces;
  }
}
