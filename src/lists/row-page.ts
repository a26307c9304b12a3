import type { KeysetRow } from './keyset.ts';
import type { PageRequest, Ref, RefPage } from './page.ts';

/** A page as its row says it. Its refs are made when they are read: of a page that memory holds as a whole, nobody reads them. */
export class RowPage implements RefPage {
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
  readonly total: number | null;
  readonly #row: KeysetRow;
  readonly #request: PageRequest;
  #refs: readonly Ref[] | null = null;

  /**
   * @param row what Postgres says of the page
   * @param request what was asked for
   */
  constructor(row: KeysetRow, request: PageRequest) {
    const { limit, backward, direction, needs } = request;
    this.#row = row;
    this.#request = request;
    const more = needs.flags && split(row.ids).length > limit;
    const beforeStart = direction === 'ASC' ? row.below : row.above;
    const afterEnd = direction === 'ASC' ? row.above : row.below;
    this.hasNext = (backward ? false : more) || (afterEnd ?? false);
    this.hasPrevious = (backward ? more : false) || (beforeStart ?? false);
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

  get keys(): readonly (string | null)[] | null {
    const { keys } = this.#row;
    if (keys === undefined) return null;
    const { limit, backward } = this.#request;
    const own = keys?.slice(0, limit) ?? [];
    return backward ? own.reverse() : own;
  }

  #readRefs(): readonly Ref[] {
    const { limit, backward } = this.#request;
    const ids = split(this.#row.ids);
    const versions = split(this.#row.versions);
    const refs: Ref[] = [];
    for (let i = 0; i < ids.length && i < limit; i += 1) {
      refs.push({ id: ids[i] as string, version: versions[i] as string });
    }
    return backward ? refs.reverse() : refs;
  }
}

function split(text: string | null): string[] {
  return text === null ? [] : text.split(',');
}
