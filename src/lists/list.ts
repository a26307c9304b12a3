import { isListedAsJson } from '../entity/key.ts';
import type { ListSource } from '../entity/list-definition.ts';
import type { Database } from '../postgres/client.ts';
import { run } from '../postgres/run.ts';
import type { Trace } from '../trace/trace.ts';
import { scansDown, shapeOf, valuesOf } from './asked.ts';
import { idsOfJson, NO_ROW, Page, type PageRow, split } from './page.ts';
import type { PageQuery } from './page-request.ts';
import { pageStatement } from './page-statement.ts';
import { type ReadRows, sharedReads } from './shared-reads.ts';
import { Variants } from './variants.ts';

/** Reads pages of one list, in order, for one request. */
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
      const statement = { ...pageStatement(source, shape), prepared };
      return sharedReads(statement.name, async (asked, trace) => {
        const rows = await run(database, statement, valuesOf(source, shape, asked), trace);
        const inOrder: PageRow[] = [];
        for (const row of rows) inOrder[row.ord] = row;
        return inOrder;
      });
    });
    return read(requests, trace);
  };

  const readRows: ReadRows = async (requests, trace) => {
    const [first] = requests;
    if (first === undefined) return [];
    if (requests.every((request) => isSameScan(request, first) && hasRows(source, request))) {
      return readAlike(requests, trace);
    }
    // The pages of parents that no row can have stay as they are.
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
    const rows = await readRows(requests, trace);
    return requests.map((request, i) => new Page(rows[i] as PageRow, request, idsOf));
  };
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
