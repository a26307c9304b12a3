import { isDeepStrictEqual } from 'node:util';
import { checkParent } from '../entity/check-declaration.ts';
import { isListedAsJson } from '../entity/key.ts';
import type { ListSource } from '../entity/list-definition.ts';
import type { Database } from '../postgres/client.ts';
import { sharedStatement } from '../postgres/shared-statement.ts';
import { run } from '../postgres/statement.ts';
import type { Trace } from '../trace/trace.ts';
import { scansDown, shapeOf, valuesOf } from './asked.ts';
import { bodiesStatement, pageRows } from './bodies-statement.ts';
import { idsOfJson, NO_ROW, Page, type PageRow, split } from './page.ts';
import type { PageQuery, Position } from './page-request.ts';
import type { PageShape } from './page-shape.ts';
import { pageStatement } from './page-statement.ts';
import { Variants } from './variants.ts';

/** Reads the rows of Postgres for pages of one list, in order. */
export type ReadRows = (requests: readonly PageQuery[], trace: Trace) => Promise<readonly PageRow[]>;

/** Like `ReadRows`, but makes pages of the rows. */
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

  /** Reads one statement for each order and direction. A parent that no row can have gets an empty page. */
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

/** Makes a function that reads the rows of pages of one shape, with or without bodies. */
function rowReader(database: Database, source: ListSource, shape: PageShape, prepared: boolean) {
  if (!shape.bodies) {
    const statement = { ...pageStatement(source, shape), prepared };
    return (values: Record<string, string>, trace: Trace) => run(database, statement, values, trace);
  }
  const statement = { ...bodiesStatement(source, shape), prepared };
  return async (values: Record<string, string>, trace: Trace) =>
    pageRows(source, await run(database, statement, values, trace));
}

/** Whether a row can have the parent. One that no row can have would fail the whole statement. */
function hasRows({ name, parent, orders }: ListSource, request: PageQuery): boolean {
  const { order, direction = 'ASC' } = request;
  if (!Object.hasOwn(orders, order)) throw new TypeError(`${name} has no order ${order}`);
  if (direction !== 'ASC' && direction !== 'DESC') throw new TypeError(`${name} has no direction ${direction}`);
  checkParent(name, parent !== null, request.parent);
  if (request.parent === null) return false;
  return parent === null || (request.parent !== undefined && parent.isId(request.parent));
}

/** Whether one statement can answer both requests. */
function isSameScan(a: PageQuery, b: PageQuery): boolean {
  return a.order === b.order && scansDown(a) === scansDown(b);
}

/** The indexes of requests that may have rows, grouped by scan. */
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
 * Lets GraphQL requests share statements. A counted or filtered page may take long, so only requests for the very same share it.
 *
 * @param name the list's name in metrics
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
      // Loops, here and for the refs, since flatMap is slower, and each random page runs them.
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

/** Whether two groups ask for the very same. Comparing them is faster than making a text of each. */
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

/** How many rows some pages take; infinite when that is not known. */
function rowsOf(requests: readonly PageQuery[]): number {
  let rows = 0;
  for (const { limit, needs, filters } of requests) {
    if (needs.total || filters !== undefined) return Number.POSITIVE_INFINITY;
    rows += limit + 1;
  }
  return rows;
}
