import type { PageQuery, Ref, RefPage, SortKey } from './page.ts';
import type { PageRow } from './page-shape.ts';

/** A page as its row says it. Its refs are made when they are read: of a page that memory holds as a whole, nobody reads them. */
export class RowPage implements RefPage {
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
  readonly total: number | null;
  readonly #row: PageRow;
  readonly #request: PageQuery;
  readonly #idsOf: ReadIds;
  #refs: readonly Ref[] | null = null;

  /**
   * @param row what Postgres says of the page
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

  get named(): string {
    const { limit, backward } = this.#request;
    const { ids, versions } = this.#row;
    // The limit, because there may be one entry too many, and the direction, because refs are in the list's order and the row is not.
    return `${backward ? '<' : '>'}${limit}:${ids}:${versions}`;
  }

  get refs(): readonly Ref[] {
    this.#refs ??= this.#readRefs();
    return this.#refs;
  }

  get keys(): readonly SortKey[] | null {
    const { keys } = this.#row;
    if (keys === undefined) return null;
    const { limit, backward } = this.#request;
    const own = keys?.slice(0, limit) ?? [];
    return backward ? own.reverse() : own;
  }

  #readRefs(): readonly Ref[] {
    const { limit, backward } = this.#request;
    const ids = this.#idsOf(this.#row.ids);
    const versions = split(this.#row.versions);
    const refs: Ref[] = [];
    for (let i = 0; i < ids.length && i < limit; i += 1) {
      refs.push({ id: ids[i] as string, version: versions[i] as string });
    }
    return backward ? refs.reverse() : refs;
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
