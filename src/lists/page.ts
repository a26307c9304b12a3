import type { Body, LoadedBody } from '../cache/entry.ts';
import type { PageTexts } from '../cache/memory/page-texts.ts';
import type { PageQuery, Position, SortKey } from './page-request.ts';

/** A row that a list named: the entity's id and the version of its row. */
export interface Ref {
  readonly id: string;
  readonly version: string;
  /** The row itself, where the list brought it along; `null` when there is none. */
  readonly body?: LoadedBody | null | undefined;
}

/** What Postgres says of one page; lists are one text each, and `null` when empty. */
export interface PageRow {
  /** Which of the pages that were asked for. */
  ord: number;
  ids: string | null;
  versions: string | null;
  keys?: (string | null | (string | null)[])[] | null;
  total?: string | null;
  /** Whether there is a row at the place that the page begins after, or before it. */
  behind?: boolean | null;
  /** Whether there is a row at the place that the page ends before, or after it. */
  beyond?: boolean | null;
  /** The bodies, `null` for what there is not, where the list brought them along. */
  bodies?: (LoadedBody | null)[];
}

/** What Postgres would say of a page without rows. */
export const NO_ROW: PageRow = { ord: 0, ids: null, versions: null, keys: null, total: '0' };

/** Asks for nothing. */
const NOTHING: PageQuery = {
  ...{ order: '', direction: 'ASC', limit: 0, backward: false },
  needs: { rows: false, entities: false, positions: false, total: false, flags: false },
};

/** One entry of a page. */
export interface PageItem<E> {
  readonly id: string;
  /** `null` unless `entities` was needed. */
  readonly entity: E | null;
  /** `null` unless `positions` was needed. */
  readonly position: Position | null;
}

/**
 * One page of one request, in the list's order: what the list says of it, and the bodies that are read for it. What is in it is made
 * when it is read: of a page that memory holds as a whole, nobody reads the refs.
 */
export class Page<E = object> {
  /** Exact when `flags` was needed, else `false`. */
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
  /** How many the list has in all, filters applied; `null` unless `total` was needed. */
  readonly total: number | null;
  /** Bodies in the order of the refs, `null` for a row that went away since; `null` until they are read. */
  bodies: readonly (Body | null)[] | null = null;
  /** What was written of the bodies; `null` where they are no page that memory holds. */
  texts: PageTexts | null = null;
  readonly #row: PageRow;
  readonly #request: Pick<PageQuery, 'limit' | 'backward'>;
  readonly #idsOf: ReadIds;
  #refs: readonly Ref[] | null = null;
  #items: readonly PageItem<E>[] | null = null;

  /**
   * @param row what Postgres says of the page; others may have pages of the same
   * @param request what was asked for
   * @param idsOf reads the ids of a page
   */
  constructor(row: PageRow, request: PageQuery, idsOf: ReadIds) {
    const { limit, backward, after, before, needs } = request;
    this.#row = row;
    this.#request = request;
    this.#idsOf = idsOf;
    const [start, stop] = backward ? [before, after] : [after, before];
    const more = (needs.flags && idsOf(row.ids).length > limit) || (stop !== undefined && row.beyond === true);
    const behind = start !== undefined && row.behind === true;
    this.hasNext = backward ? behind : more;
    this.hasPrevious = backward ? more : behind;
    this.total = row.total == null ? null : Number(row.total);
  }

  /** @returns the page of a list without rows */
  static empty<E>(): Page<E> {
    return new Page(NO_ROW, NOTHING, split);
  }

  /** What the list named, ids and versions, as one text: pages of one kind of entity whose texts are equal have equal refs. */
  get named(): string {
    const { limit, backward } = this.#request;
    const { ids, versions } = this.#row;
    // The limit, because there may be one entry too many, and the direction, because refs are in the list's order and the row is not.
    return `${backward ? '<' : '>'}${limit}:${ids}:${versions}`;
  }

  /** The rows of the page. */
  get refs(): readonly Ref[] {
    this.#refs ??= this.#makeRefs();
    return this.#refs;
  }

  /** What each ref is sorted by; `null` unless positions were needed. */
  get keys(): readonly SortKey[] | null {
    const { keys } = this.#row;
    if (keys === undefined) return null;
    const { limit, backward } = this.#request;
    const own = keys?.slice(0, limit) ?? [];
    return backward ? own.reverse() : own;
  }

  /** The entries of the page; where bodies were read, a row that went away between the list and its body is none. */
  get items(): readonly PageItem<E>[] {
    this.#items ??= this.#makeItems();
    return this.#items;
  }

  /** The place of its first entry; `null` when there is none, or positions were not needed. */
  get start(): Position | null {
    return this.#positionAt(0);
  }

  /** The place of its last entry, likewise. */
  get end(): Position | null {
    return this.#positionAt(-1);
  }

  /** Of a page that memory holds, whose bodies are all there, no other entry is made for it. */
  #positionAt(i: 0 | -1): Position | null {
    if (this.texts === null) return this.items.at(i)?.position ?? null;
    const body = this.bodies?.at(i) ?? null;
    const { keys } = this;
    return keys === null || body === null ? null : { key: keys.at(i) ?? null, id: (body.entity as { id: string }).id };
  }

  /** @returns what is written as JSON */
  toJSON(): object {
    const { items, hasNext, hasPrevious, total } = this;
    return { items, hasNext, hasPrevious, total };
  }

  #makeRefs(): readonly Ref[] {
    const { limit, backward } = this.#request;
    const { bodies } = this.#row;
    const ids = this.#idsOf(this.#row.ids);
    const versions = split(this.#row.versions);
    const refs: Ref[] = [];
    for (let i = 0; i < ids.length && i < limit; i += 1) {
      const [id, version] = [ids[i] as string, versions[i] as string];
      refs.push(bodies === undefined ? { id, version } : { id, version, body: bodies[i] });
    }
    return backward ? refs.reverse() : refs;
  }

  #makeItems(): readonly PageItem<E>[] {
    const { bodies, keys } = this;
    const items: PageItem<E>[] = [];
    const add = (id: string, entity: E | null, i: number) => {
      items.push({ id, entity, position: keys === null ? null : { key: keys[i] ?? null, id } });
    };
    if (bodies === null) for (const [i, { id }] of this.refs.entries()) add(id, null, i);
    else {
      for (const [i, body] of bodies.entries()) {
        // A body's entity was made from a row of this entity's, and has its id.
        if (body !== null) add((body.entity as { id: string }).id, body.entity as E, i);
      }
    }
    return items;
  }
}

/** Reads the ids of a page from what its row says of them. */
export type ReadIds = (text: string | null) => readonly string[];

/**
 * @param text ids that are a JSON array
 * @returns the ids
 */
export function idsOfJson(text: string | null): readonly string[] {
  return text === null ? [] : (JSON.parse(text) as string[]);
}

/**
 * @param text texts without commas, separated by these
 * @returns the texts
 */
export function split(text: string | null): readonly string[] {
  return text === null ? [] : text.split(',');
}
