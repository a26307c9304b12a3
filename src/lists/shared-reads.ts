import { isDeepStrictEqual } from 'node:util';
import { Trace } from '../trace/trace.ts';
import { byTurn } from './by-turn.ts';
import type { PageRow } from './page.ts';
import type { PageQuery, Position } from './page-request.ts';

/** Reads what Postgres says of pages of one list, in order, for one request or several. */
export type ReadRows = (requests: readonly PageQuery[], trace: Trace) => Promise<PageRow[]>;

/** The pages that a GraphQL request asks for at a time, or several that ask for the very same. */
interface Group {
  readonly requests: readonly PageQuery[];
  readonly traces: Trace[];
}

/** A group that has not been sent. */
interface OpenGroup extends Group {
  /** `null` while it is being asked for. */
  pages: Promise<PageRow[]> | null;
}

/** A group of more rows than this is a statement's worth of work, and many connections do it sooner than one. */
const MAX_ROWS = 32;

/** How many GraphQL requests share a group: its answer makes them all go on at once, and nobody else until they are through. */
const MAX_SAME = { small: 16, large: 4 };

/** How many groups that have not been sent are compared with those that come after them. */
const MAX_OPEN = 32;

/**
 * Lets GraphQL requests that come in the same turn of the event loop share statements: those for small pages, whatever these are, and
 * those for the very same pages. To send a statement and to begin it costs either side more than to read a few rows: shared, the
 * nested query took 0.6 times the CPU time of the server and 0.55 times that of Postgres at 32 connections. A request that comes
 * alone waits for no other, and nobody is given what was asked for before his request had come in.
 *
 * Pages that are counted or filtered are read apart from others, since either may take long, and those of a request that is looked
 * at are read for it alone. When a shared statement is refused, each group is asked for on its own, so that nobody fails by another's
 * fault.
 *
 * @param name what the list is called in figures
 * @param read reads pages of one variant of the list
 * @returns the same, shared; a trace counts the statement as if it had been its own
 */
export function sharedReads(name: string, read: ReadRows): ReadRows {
  /** Those that have not been sent. */
  let open: OpenGroup[] = [];

  /** Reads the pages of some groups by one statement, which each of their requests counts. */
  const together = async (groups: readonly Group[]): Promise<PageRow[][]> => {
    // By loops: with flatMap, here and for the refs, it took 3 % of the CPU time of a random page.
    const asked: PageQuery[] = [];
    const sharers: Trace[] = [];
    for (const { requests, traces } of groups) {
      asked.push(...requests);
      sharers.push(...traces);
    }
    const shared = Trace.ofAll(sharers);
    let pages: PageRow[] = [];
    try {
      pages = await read(asked, shared);
    } finally {
      const answered = pages.length > 0;
      for (const { requests, traces } of groups) {
        for (const trace of traces) trace.sharedStatement(name, shared, answered ? requests.length : 0);
      }
    }
    let end = 0;
    return groups.map(({ requests }) => {
      const start = end;
      end += requests.length;
      return pages.slice(start, end);
    });
  };

  const apart = async (group: Group): Promise<PageRow[]> => {
    const [only, ...others] = group.traces;
    if (only !== undefined && others.length === 0) return read(group.requests, only);
    return (await together([group]))[0] ?? [];
  };

  const sent = (groups: readonly Group[]) => {
    open = open.filter((group) => !groups.includes(group));
  };

  const small = byTurn<Group, PageRow[]>({ together, apart, sent });

  const large = async (group: Group): Promise<PageRow[]> => {
    await new Promise((resolve) => setImmediate(resolve));
    sent([group]);
    return apart(group);
  };

  return (requests, trace) => {
    if (trace.ownStatements) return read(requests, trace);
    const isSmall = rowsOf(requests) <= MAX_ROWS;
    const most = isSmall ? MAX_SAME.small : MAX_SAME.large;
    const same = open.find((group) => group.traces.length < most && areSame(group.requests, requests));
    if (same?.pages != null) {
      same.traces.push(trace);
      return same.pages;
    }
    const group: OpenGroup = { requests, traces: [trace], pages: null };
    // Before it is asked for: that may be what its statement has waited for, and then it is open no more.
    if (open.length < MAX_OPEN) open.push(group);
    group.pages = isSmall ? small(group) : large(group);
    return group.pages;
  };
}

/** Whether two groups ask for the very same. To compare them costs less than a text that says what each asks for. */
function areSame(a: readonly PageQuery[], b: readonly PageQuery[]): boolean {
  return a.length === b.length && a.every((request, i) => isSame(request, b[i] as PageQuery));
}

function isSame(a: PageQuery, b: PageQuery): boolean {
  return (
    a.parent === b.parent &&
    a.limit === b.limit &&
    isSamePlace(a.after, b.after) &&
    isSamePlace(a.before, b.before) &&
    areSameFilters(a.filters, b.filters) &&
    a.order === b.order &&
    a.direction === b.direction &&
    a.backward === b.backward &&
    a.needs.rows === b.needs.rows &&
    a.needs.entities === b.needs.entities &&
    a.needs.positions === b.needs.positions &&
    a.needs.total === b.needs.total &&
    a.needs.flags === b.needs.flags
  );
}

function isSamePlace(a: Position | undefined, b: Position | undefined): boolean {
  return a?.id === b?.id && (a?.key === b?.key || (typeof a?.key === 'object' && isDeepStrictEqual(a.key, b?.key)));
}

function areSameFilters(a: PageQuery['filters'], b: PageQuery['filters']): boolean {
  return a === b || isDeepStrictEqual(a, b);
}

/** How many rows some pages take; any number when nobody knows. */
function rowsOf(requests: readonly PageQuery[]): number {
  let rows = 0;
  for (const { limit, needs, filters } of requests) {
    if (needs.total || filters !== undefined) return Number.POSITIVE_INFINITY;
    rows += limit + 1;
  }
  return rows;
}
