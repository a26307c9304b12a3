import { LRUCache } from 'lru-cache';
import type { ListSource } from '../entity/list-definition.ts';
import { bringsBodies, kindName, scansDown, startOf, stopOf } from './asked.ts';
import type { PageQuery, Position } from './page-request.ts';

/** The parts of statements that only some requests need. */
const PART = {
  down: 1,
  keys: 2,
  total: 4,
  outside: 8,
  /** This and the next three mean pages without positions to begin and end at, with the one, with the other, and with both. */
  unbounded: 16,
  bodies: 256,
} as const;

/**
 * How many statements of a list are kept that differ by their mix of filters and positions. Clients can bring about a huge number of mixes.
 * Postgres keeps a prepared statement as long as the connection lives, and Larder as long as the process does.
 */
const MAX_MIXES = 100;

/** What is kept for each statement of a list. */
export class Variants<T extends object> {
  readonly #source: ListSource;
  // By order, and then by a number, which is found sooner than a text.
  readonly #plain = new Map<string, T[]>();
  readonly #others = new LRUCache<string, T>({ max: MAX_MIXES });
  /** The mixes that are prepared: the first ones. */
  readonly #prepared = new Set<string>();

  /** @param source the list */
  constructor(source: ListSource) {
    this.#source = source;
  }

  /**
   * @param requests pages that are read by one statement
   * @param make makes what is kept for a statement; its argument says whether the statement is prepared
   * @returns the same object for the same statement
   */
  of(requests: readonly PageQuery[], make: (prepared: boolean) => T): T {
    const [first] = requests as [PageQuery, ...PageQuery[]];
    const terms = this.#source.orders[first.order]?.length ?? 0;
    let parts = bringsBodies(requests) ? PART.bodies : 0;
    let isPlain = true;
    for (const request of requests) {
      parts |= partsOf(request);
      isPlain &&= request.filters === undefined && !(hasNull(request.after, terms) || hasNull(request.before, terms));
    }
    if (!isPlain) return this.#other(requests, first, parts, make);
    let ofOrder = this.#plain.get(first.order);
    if (ofOrder === undefined) {
      ofOrder = [];
      this.#plain.set(first.order, ofOrder);
    }
    const found = ofOrder[parts] ?? make(true);
    ofOrder[parts] = found;
    return found;
  }

  #other(requests: readonly PageQuery[], { order }: PageQuery, parts: number, make: (prepared: boolean) => T): T {
    const kinds = new Set(requests.map((request) => kindName(this.#source, request)));
    const name = `${order} ${parts} ${[...kinds].sort().join(' ')}`;
    const found = this.#others.get(name);
    if (found !== undefined) return found;
    if (this.#prepared.size < MAX_MIXES) this.#prepared.add(name);
    const made = make(this.#prepared.has(name));
    this.#others.set(name, made);
    return made;
  }
}

function partsOf(request: PageQuery): number {
  const { needs } = request;
  const places = (startOf(request) === undefined ? 0 : 1) + (stopOf(request) === undefined ? 0 : 2);
  return (
    (scansDown(request) ? PART.down : 0) |
    (needs.positions ? PART.keys : 0) |
    (needs.total ? PART.total : 0) |
    (needs.flags && places > 0 ? PART.outside : 0) |
    (PART.unbounded << places)
  );
}

function hasNull(position: Position | undefined, terms: number): boolean {
  if (position === undefined || terms === 0) return false;
  const { key } = position;
  return key === null || (typeof key === 'object' && key.includes(null));
}
