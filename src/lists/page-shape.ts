import type { GivenFilters } from '../entity/given-filters.ts';
import type { Nulls, ScanTerm } from './scan.ts';

/** The parts of a statement that only some of its pages need. */
export interface PageKind {
  /** Which values of the position are NULL that the page begins after; `null` for the start of the list. */
  readonly start: Nulls | null;
  /** Which values of the position are NULL that the page ends before; `null` for the end of the list. */
  readonly stop: Nulls | null;
  /** Its filters, by their numbers in the shape. */
  readonly filters: readonly number[];
}

/** How pages are cut out of a list. Each shape is the text of one statement. */
export interface PageShape {
  /** The columns in whose order rows are read, from the page's start. */
  readonly terms: readonly ScanTerm[];
  /** How many of them are the order's; the others are the key's. */
  readonly orderTerms: number;
  /** The kinds of the pages of the batch, each once. */
  readonly kinds: readonly PageKind[];
  /** The filters of all kinds. The conditions of some contain their value. */
  readonly filters: GivenFilters;
  /** Whether some page of the batch wants its sort keys, its count, or whether there are rows outside of its bounds. */
  readonly keys: boolean;
  readonly total: boolean;
  readonly outside: boolean;
  /** Whether bodies are brought along. */
  readonly bodies: boolean;
}
