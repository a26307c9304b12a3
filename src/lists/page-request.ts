import type { GivenFilters } from '../entity/filter.ts';

/**
 * The values of an order's column as text, `null` for NULL: one, an array where there are several columns, and `null` where there is none and the list is
 * sorted by id alone.
 */
export type SortKey = string | null | readonly (string | null)[];

/** A place in a list: the values that its order sorts by, and the id. */
export interface Position {
  readonly key: SortKey;
  readonly id: string;
}

/** One page that is asked for. */
export interface PageRequest {
  /** The parent's id; absent when the list has no parent. One that no row can have is that of an empty list. */
  readonly parent?: string | undefined;
  /** One of the list's orders. */
  readonly order: string;
  readonly direction: 'ASC' | 'DESC';
  /** How many at most, counted from the page's start, or from its end when `backward`. */
  readonly limit: number;
  readonly backward: boolean;
  /** Only what comes after this place in the list's order. */
  readonly after?: Position | undefined;
  /** Only what comes before it. */
  readonly before?: Position | undefined;
  /** Only rows that pass these of the list's filters, by name; what is `null` or `undefined` is not there. */
  readonly filters?: Readonly<Record<string, unknown>> | undefined;
  readonly needs: PageNeeds;
}

/** One page as its list reads it: what it is filtered by, if by anything, is SQL text. */
export interface PageQuery extends Omit<PageRequest, 'filters'> {
  readonly filters?: GivenFilters | undefined;
}

/** What of a page is wanted; what is not wanted costs nothing. */
export interface PageNeeds {
  /** The entries of the page, at least their ids. */
  readonly rows: boolean;
  readonly entities: boolean;
  readonly positions: boolean;
  readonly total: boolean;
  /** Whether there is more before and after the page. */
  readonly flags: boolean;
  /** Whether the list brings bodies along: caches are expected to lack them. */
  readonly bodies?: boolean;
}
