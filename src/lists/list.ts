import { isListedAsJson } from '../entity/key.ts';
import type { ListSource } from '../entity/list-definition.ts';
import type { Database } from '../postgres/client.ts';
import { run } from '../postgres/run.ts';
import { scansDown, shapeOf, valuesOf } from './asked.ts';
import type { PageQuery, RefPage } from './page.ts';
import { pageStatement } from './page-statement.ts';
import { idsOfJson, RowPage, split } from './row-page.ts';
import { type ReadPages, sharedReads } from './shared-reads.ts';
import { Variants } from './variants.ts';

/** The page of a parent that no row can have. */
const EMPTY: RefPage = { named: '', refs: [], keys: [], hasNext: false, hasPrevious: false, total: 0 };

/**
 * Makes the reader of one list. Requests of the same order and scan direction share one statement, whatever their
 * parents, limits, cursors and filters.
 *
 * @param database where
 * @param source the list
 * @returns a function that answers requests in order
 */
export function listReader(database: Database, source: ListSource): ReadPages {
  const variants = new Variants<ReadPages>(source);
  const idsOf = isListedAsJson(source.key) ? idsOfJson : split;

  const readAlike: ReadPages = (requests, trace) => {
    const read = variants.of(requests, (prepared) => {
      const shape = shapeOf(source, requests);
      const statement = { ...pageStatement(source, shape), prepared };
      return sharedReads(statement.name, async (asked, trace) => {
        const rows = await run(database, statement, valuesOf(source, shape, asked), trace);
        const pages: RefPage[] = [];
        for (const row of rows) pages[row.ord] = new RowPage(row, asked[row.ord] as PageQuery, idsOf);
        return pages;
      });
    });
    return read(requests, trace);
  };

  return async (requests, trace) => {
    const [first] = requests;
    if (first === undefined) return [];
    if (requests.every((request) => isSameScan(request, first) && hasRows(source, request))) {
      return readAlike(requests, trace);
    }
    const pages = requests.map(() => EMPTY);
    await Promise.all(
      byScan(source, requests).map(async (indexes) => {
        const group = indexes.map((i) => requests[i] as PageQuery);
        const read = await readAlike(group, trace);
        indexes.forEach((index, i) => {
          pages[index] = read[i] as RefPage;
        });
      }),
    );
    return pages;
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
