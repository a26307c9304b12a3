/** What is asked. */
export type QueryName = 'nested' | 'wide' | 'heavy' | 'random' | 'byId' | 'threeLevels' | 'mutation';

/** A peer's own cursors, by the id of the campaign that they stand for. */
export type Cursors = Pick<ReadonlyMap<string, string>, 'get'>;

/** What a request is about, in database ids; which of them a query uses is its own matter. */
export interface Subject {
  /** The campaign that a page comes after; `null` for the first page. */
  readonly after: string | null;
  readonly campaign: string;
  readonly event: string;
  readonly title: string;
}

/** A request as the load generator sends it. */
export interface Request {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** How large pages are. */
export const SIZES = {
  nested: { campaigns: 5, events: 2 },
  wide: { campaigns: 50, events: 10 },
  threeLevels: { campaigns: 5, events: 5, campaignsOfEvent: 3 },
} as const;

/**
 * The language that a peer is spoken to in. Whatever it is, the same question gets the same answer.
 */
export interface Dialect {
  /** Which queries can be asked. */
  readonly queries: readonly QueryName[];
  /**
   * @param query what to ask
   * @param subject what about
   * @param cursors the peer's own cursors, by the id of the campaign that they stand for
   * @returns the request
   */
  request(query: QueryName, subject: Subject, cursors: Cursors): Request;
  /**
   * Reads an answer into the form that all peers share: database ids, times to the millisecond, lists without wrapping.
   *
   * @param query what was asked
   * @param body what was answered
   * @returns the answer, to compare
   */
  normalise(query: QueryName, body: unknown): unknown;
  /**
   * The request for a page of campaigns' cursors; absent when cursors are ids.
   *
   * @param after the last cursor of the page before
   */
  cursorPage?(after: string | null): Request;
  /** Reads the answer to `cursorPage`: campaigns' ids and their cursors, in order. */
  readCursors?(body: unknown): [id: string, cursor: string][];
}
