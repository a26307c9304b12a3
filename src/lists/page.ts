/** A row that a list named: the entity's id and the version of its row. */
export interface Ref {
  readonly id: string;
  readonly version: string;
}

/** A place in a list: the text of the sort key (`null` when sorted by id alone) and the id. */
export interface Position {
  readonly key: string | null;
  readonly id: string;
}

/** One page that is asked for. */
export interface PageRequest {
  /** The parent's id; absent when the list has no parent. */
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
  /** Only rows whose range column is greater, as SQL text. */
  readonly from?: string | undefined;
  /** Only rows whose range column is less, as SQL text. */
  readonly to?: string | undefined;
  readonly needs: PageNeeds;
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
}

/** One page, in the list's order. */
export interface Page<E> {
  readonly items: readonly PageItem<E>[];
  /** Exact when `flags` was needed, else `false`. */
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
  /** How many the list has in all, filters applied; `null` unless `total` was needed. */
  readonly total: number | null;
}

/** One entry of a page. */
export interface PageItem<E> {
  readonly id: string;
  /** `null` unless `entities` was needed. */
  readonly entity: E | null;
  /** `null` unless `positions` was needed. */
  readonly position: Position | null;
}

/** What the list statement says of one page: ids, versions and places, never bodies. */
export interface RefPage {
  /** What the list named, ids and versions, as one text: pages of one kind of entity whose texts are equal have equal refs. */
  readonly named: string;
  readonly refs: readonly Ref[];
  /** The text of each ref's sort key, `null` where the list is sorted by id alone; `null` unless positions were needed. */
  readonly keys: readonly (string | null)[] | null;
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
  readonly total: number | null;
}
