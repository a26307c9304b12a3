import type { GivenFilters } from '../entity/filter.ts';
import type { Nulls, ScanTerm } from './scan.ts';

/** What the statement does for some pages and not for others. */
export interface PageKind {
  /** The kind of place that the page begins after; `null` for the start of the list. */
  readonly start: Nulls | null;
  /** The kind of place that the page ends before; `null` for the end of the list. */
  readonly stop: Nulls | null;
  /** Its filters, by their numbers in the shape. */
  readonly filters: readonly number[];
}

/** How pages are cut out of a list. Each combination is one statement text. */
export interface PageShape {
  /** The columns that rows are read in the order of, from where the page begins. */
  readonly terms: readonly ScanTerm[];
  /** How many of them are the order's; the others are the key's. */
  readonly orderTerms: number;
  /** The kinds of the pages of the batch, each once. */
  readonly kinds: readonly PageKind[];
  /** The filters of all of them; of some, the values are a part of the condition. */
  readonly filters: GivenFilters;
  /** Whether some page of the batch wants its sort keys, its count, or to know what lies outside of its bounds. */
  readonly keys: boolean;
  readonly total: boolean;
  readonly outside: boolean;
  /** Whether bodies are brought along. */
  readonly bodies: boolean;
}
