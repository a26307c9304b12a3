import { isDeepStrictEqual } from 'node:util';
import { isListedAsJson } from '../entity/key.ts';
import type { ListSource } from '../entity/list-definition.ts';
import type { Database } from '../postgres/client.ts';
import { run } from '../postgres/run.ts';
import { sharedStatement } from '../postgres/shared-statement.ts';
import type { Trace } from '../trace/trace.ts';
import { scansDown, shapeOf, valuesOf } from './asked.ts';
import { bodiesStatement, pageRows } from './bodies-statement.ts';
import { idsOfJson, NO_ROW, Page, type PageRow, split } from './page.ts';
import type { PageQuery, Position } from './page-request.ts';
import type { PageShape } from './page-shape.ts';
import { pageStatement } from './page-statement.ts';
import { Variants } from './variants.ts';

/** Reads what Postgres says of pages of one list, in order. */
export type ReadRows = (requests: readonly PageQuery[], trace: Trace) => Promise<readonly PageRow[]>;

/** As `ReadRows`, and makes the pages of one request. */
export type ReadPages = (requests: readonly PageQuery[], trace: Trace) => Promise<Page[]>;

/**
 * Makes the reader of one list. Requests of the same order and scan direction share one statement, whatever their
 * parents, limits, cursors and filters.
 *
 * @param database where
 * @param source the list
 * @returns a function that answers requests in order
 */
export function listReader(database: Database, source: ListSource): ReadPages {
  const variants = new Variants<ReadRows>(source);
  const idsOf = isListedAsJson(source.key) ? idsOfJson : split;

  const readAlike: ReadRows = (requests, trace) => {
    const read = variants.of(requests, (prepared) => {
      const shape = shapeOf(source, requests);
      const readOf = rowReader(database, source, shape, prepared);
      return sharedPages(source.name, async (asked, trace) => {
        const rows = await readOf(valuesOf(source, shape, asked), trace);
        const inOrder: PageRow[] = [];
        for (const row of rows) inOrder[row.ord] = row;
        return inOrder;
      });
    });
    return read(requests, trace);
  };

  /** Reads by a statement for each order and direction; the pages of parents that no row can have stay as they are. */
  const readEach: ReadRows = async (requests, trace) => {
    const rows = requests.map(() => NO_ROW);
    await Promise.all(
      byScan(source, requests).map(async (indexes) => {
        const group = indexes.map((i) => requests[i] as PageQuery);
        const read = await readAlike(group, trace);
        indexes.forEach((index, i) => {
          rows[index] = read[i] as PageRow;
        });
      }),
    );
    return rows;
  };

  return async (requests, trace) => {
    const [first] = requests;
    if (first === undefined) return [];
    const areAlike = requests.every((request) => isSameScan(request, first) && hasRows(source, request));
    const rows = await (areAlike ? readAlike : readEach)(requests, trace);
    return requests.map((request, i) => new Page(rows[i] as PageRow, request, idsOf));
  };
}

/** Makes what reads the rows of pages of one shape, an entity's bodies among them or not. */
function rowReader(database: Database, source: ListSource, shape: PageShape, prepared: boolean) {
  if (!shape.bodies) {
    const statement = { ...pageStatement(source, shape), prepared };
    return (values: Record<string, string>, trace: Trace) => run(database, statement, values, trace);
  }
  const statement = { ...bodiesStatement(source, shape), prepared };
  return async (values: Record<string, string>, trace: Trace) =>
    pageRows(source, await run(database, statement, values, trace));
}

/** Whether the parent is one that a row can have: another would fail the whole statement. */
function hasRows({ name, parent, orders }: ListSource, request: PageQuery): boolean {
  if (!Object.hasOwn(orders, request.order)) throw new TypeError(`${name} has no order ${request.order}`);
  return parent === null || (request.parent !== undefined && parent.isId(request.parent));
}

/** Requests of the same scan can be answered by one statement. */
function isSameScan(a: PageQuery, b: PageQuery): boolean {
  return a.order === b.order && scansDown(a) === scansDown(b);
}

/** The places of requests that may have rows, those of the same scan together. */
function byScan(source: ListSource, requests: readonly PageQuery[]): number[][] {
  const scans: { readonly of: PageQuery; readonly indexes: number[] }[] = [];
  requests.forEach((request, i) => {
    if (!hasRows(source, request)) return;
    const same = scans.find((scan) => isSameScan(scan.of, request));
    if (same === undefined) scans.push({ of: request, indexes: [i] });
    else same.indexes.push(i);
  });
  return scans.map(({ indexes }) => indexes);
}

/**
 * Lets GraphQL requests share statements. Pages that are counted or filtered are shared by those alone that ask for the very same, since
 * either may take long.
 *
 * @param name what the list is called in figures
 * @param read reads pages of one variant of the list
 * @returns the same, shared
 */
export function sharedPages(name: string, read: ReadRows): ReadRows {
  return sharedStatement<readonly PageQuery[], readonly PageRow[]>({
    name,
    size: rowsOf,
    areSame,
    rowsFor: ({ length }) => length,
    read: async (asked, trace) => {
      const [only] = asked as [readonly PageQuery[]];
      if (asked.length === 1) return [await read(only, trace)];
      // By loops, here and for the refs: flatMap is slower, and each random page comes by here.
      const all: PageQuery[] = [];
      for (const requests of asked) all.push(...requests);
      const rows = await read(all, trace);
      let end = 0;
      return asked.map(({ length }) => {
        const start = end;
        end += length;
        return rows.slice(start, end);
      });
    },
  });
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
    a.needs.flags === b.needs.flags &&
    a.needs.bodies === b.needs.bodies
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
