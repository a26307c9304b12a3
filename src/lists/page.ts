import type { Body, LoadedBody } from '../cache/entry.ts';
import type { PageTexts } from '../cache/memory/page-memory.ts';
import type { PageQuery, Position, SortKey } from './page-request.ts';

/** A row that a list named: the entity's id, and the version of its row. */
export interface Ref {
  readonly id: string;
  readonly version: string;
  /** The row itself, where the list brought it along; `null` when there is none. */
  readonly body?: LoadedBody | null | undefined;
}

/** A row of Postgres for one page. Lists are one text each, `null` when empty. */
export interface PageRow {
  /** The number of the page among those that were asked for. */
  ord: number;
  ids: string | null;
  versions: string | null;
  keys?: (string | null | (string | null)[])[] | null;
  total?: string | null;
  /** Whether there is a row at the position that the page begins after, or before it. */
  behind?: boolean | null;
  /** Whether there is a row at the position that the page ends before, or after it. */
  beyond?: boolean | null;
  /** The bodies, `null` for what there is not, where the list brought them along. */
  bodies?: (LoadedBody | null)[];
}

/** The row for a page without entries. */
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
 * One page of one request, in the list's order: what the list says of it, and the bodies that are read for it. Its parts are made when they
 * are read. When memory holds the page as a whole, nobody reads the refs.
 */
export class Page<E = object> {
  /** Exact when `flags` was needed, otherwise `false`. */
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
  /** How many entries the filtered list has in all; `null` unless `total` was needed. */
  readonly total: number | null;
  /** The bodies in the order of the refs, `null` for a row that is gone since; `null` until they are read. */
  bodies: readonly (Body | null)[] | null = null;
  /** What was written of the bodies; `null` where they are no page that memory holds. */
  texts: PageTexts | null = null;
  readonly #row: PageRow;
  readonly #request: Pick<PageQuery, 'limit' | 'backward'>;
  readonly #idsOf: ReadIds;
  #refs: readonly Ref[] | null = null;
  #items: readonly PageItem<E>[] | null = null;

  /**
   * @param row the row of Postgres, which other pages may share
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

  /** The ids and versions that the list named, as one text. Pages of one kind of entity with equal texts have equal refs. */
  get named(): string {
    const { limit, backward } = this.#request;
    const { ids, versions } = this.#row;
    // The limit, because there may be one entry too many. The direction, because refs are in the list's order and the row is not.
    return `${backward ? '<' : '>'}${limit}:${ids}:${versions}`;
  }

  /** The rows of the page. */
  get refs(): readonly Ref[] {
    this.#refs ??= this.#makeRefs();
    return this.#refs;
  }

  /** The sort values of each ref; `null` unless positions were needed. */
  get keys(): readonly SortKey[] | null {
    const { keys } = this.#row;
    if (keys === undefined) return null;
    const { limit, backward } = this.#request;
    const own = keys?.slice(0, limit) ?? [];
    return backward ? own.reverse() : own;
  }

  /** The entries of the page. When bodies were read, it leaves out rows that were deleted between the list and its bodies. */
  get items(): readonly PageItem<E>[] {
    this.#items ??= this.#makeItems();
    return this.#items;
  }

  /** The place of its first entry, or of its first row where none of its rows leads to an entity; `null` when positions were not needed. */
  get start(): Position | null {
    return this.#positionAt(0);
  }

  /** The place of its last entry, likewise. */
  get end(): Position | null {
    return this.#positionAt(-1);
  }

  /** Of a page that memory holds, whose bodies are all there, no other entry is made for it. */
  #positionAt(i: 0 | -1): Position | null {
    const { keys } = this;
    if (keys === null) return null;
    if (this.texts === null) {
      const item = this.items.at(i);
      if (item !== undefined) return item.position;
      // Whoever pages on must get past rows that all lead to no entity.
      const ref = this.refs.at(i);
      return ref === undefined ? null : { key: keys.at(i) ?? null, id: ref.id };
    }
    const body = this.bodies?.at(i) ?? null;
    return body === null ? null : { key: keys.at(i) ?? null, id: (body.entity as { id: string }).id };
  }

  /** @returns the page's parts, for JSON.stringify */
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
        // The body's entity was made from a row of this entity, and has its id.
        if (body !== null) add((body.entity as { id: string }).id, body.entity as E, i);
      }
    }
    return items;
  }
}

/** Reads the ids of a page from the text in its row. */
export type ReadIds = (text: string | null) => readonly string[];

/**
 * @param text the ids as a JSON array; `null` for none
 * @returns the ids
 */
export function idsOfJson(text: string | null): readonly string[] {
  return text === null ? [] : (JSON.parse(text) as string[]);
}

/**
 * @param text texts without commas, separated by commas; `null` for none
 * @returns the texts
 */
export function split(text: string | null): readonly string[] {
  return text === null ? [] : text.split(',');
}
