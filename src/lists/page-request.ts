import type { GivenFilters } from '../entity/given-filters.ts';

/**
 * The sort values of a position as text, `null` for NULL: one value, or an array for several columns. It is `null` for a list that is
 * sorted by id alone.
 */
export type SortKey = string | null | readonly (string | null)[];

/** A position in a list: its sort values and its id. */
export interface Position {
  readonly key: SortKey;
  readonly id: string;
}

/** One page that is asked for. */
export interface PageRequest {
  /** The parent's id; absent when the list has no parent. The page is empty with one that no row can have, and with `null`. */
  readonly parent?: string | null | undefined;
  /** One of the list's orders. */
  readonly order: string;
  readonly direction: 'ASC' | 'DESC';
  /** The most entries, counted from the page's start, or from its end when `backward`. */
  readonly limit: number;
  readonly backward: boolean;
  /** Only entries after this position in the list's order. */
  readonly after?: Position | undefined;
  /** Only entries before it. */
  readonly before?: Position | undefined;
  /** Only rows that pass these filters of the list, by name. A filter that is `null` or `undefined` does not apply. */
  readonly filters?: Readonly<Record<string, unknown>> | undefined;
  readonly needs: PageNeeds;
}

/** A page as its list reads it: the filters' values are SQL text. */
export interface PageQuery extends Omit<PageRequest, 'filters'> {
  readonly filters?: GivenFilters | undefined;
}

/** The parts of a page that are wanted. Others cost nothing. */
export interface PageNeeds {
  /** The entries of the page, at least their ids. */
  readonly rows: boolean;
  readonly entities: boolean;
  readonly positions: boolean;
  readonly total: boolean;
  /** Whether there are entries before and after the page. */
  readonly flags: boolean;
  /** Whether the list brings bodies along: caches are expected to lack them. */
  readonly bodies?: boolean;
}
