import type { PgTable } from 'drizzle-orm/pg-core';
import type { ListDefinition } from '../entity/definition.ts';
import type { Database } from '../postgres/client.ts';
import { run } from '../postgres/run.ts';
import { arrayLiteral } from '../postgres/statement.ts';
import { keysetStatement } from './keyset.ts';
import { sentinels } from './keyset-bounds.ts';
import type { KeysetShape } from './keyset-shape.ts';
import type { PageRequest, Position, RefPage } from './page.ts';
import { RowPage } from './row-page.ts';
import { type ReadPages, sharedReads } from './shared-reads.ts';

/**
 * Makes the reader of one list. Requests of the same order and scan direction share one statement, whatever their
 * parents, limits and cursors.
 *
 * @param database where
 * @param name what the list is called in figures
 * @param entity the listed entity's table
 * @param list the list
 * @returns a function that answers requests in order
 */
export function listReader(database: Database, name: string, entity: PgTable, list: ListDefinition): ReadPages {
  // By order, and there by what their statements do besides: a number, which is found sooner than a text that says it.
  const variants = new Map<string, ReadPages[]>();
  // A column that cannot be paged over is found out when the process starts.
  for (const column of [list.id, list.range, ...Object.values(list.orders)]) if (column) sentinels(column);
  const source = { ...list, name, entity };

  const variantOf = (order: string, parts: number): ReadPages => {
    const key = list.orders[order];
    if (key === undefined) throw new TypeError(`${name} has no order ${order}`);
    const shape = {
      key: key ?? undefined,
      descending: (parts & PART.descending) !== 0,
      bounded: (parts & PART.bounded) !== 0,
      keys: (parts & PART.keys) !== 0,
      total: (parts & PART.total) !== 0,
      outside: (parts & PART.outside) !== 0,
    };
    const statement = keysetStatement(source, shape);
    return sharedReads(statement.name, async (requests, trace) => {
      const rows = await run(database, statement, parameters(list, shape, requests), trace);
      const pages: RefPage[] = [];
      for (const row of rows) pages[row.ord] = new RowPage(row, requests[row.ord] as PageRequest);
      return pages;
    });
  };

  const readAlike: ReadPages = (requests, trace) => {
    const { order } = requests[0] as PageRequest;
    let parts = 0;
    for (const request of requests) parts |= partsOf(request);
    let ofOrder = variants.get(order);
    if (ofOrder === undefined) {
      ofOrder = [];
      variants.set(order, ofOrder);
    }
    const read = ofOrder[parts] ?? variantOf(order, parts);
    ofOrder[parts] = read;
    return read(requests, trace);
  };

  return async (requests, trace) => {
    const [first] = requests;
    if (first === undefined) return [];
    if (requests.every((request) => isSameScan(request, first))) return readAlike(requests, trace);
    const pages: RefPage[] = [];
    await Promise.all(
      byScan(requests).map(async (indexes) => {
        const group = indexes.map((i) => requests[i] as PageRequest);
        const read = await readAlike(group, trace);
        indexes.forEach((index, i) => {
          pages[index] = read[i] as RefPage;
        });
      }),
    );
    return pages;
  };
}

/** What statements do for some requests and not for others. */
const PART = { descending: 1, bounded: 2, keys: 4, total: 8, outside: 16 } as const;

function partsOf(request: PageRequest): number {
  const { from, to, needs } = request;
  const fromCursor = hasCursor(request);
  return (
    (scansDown(request) ? PART.descending : 0) |
    (fromCursor || (from ?? to) !== undefined ? PART.bounded : 0) |
    (needs.positions ? PART.keys : 0) |
    (needs.total ? PART.total : 0) |
    (needs.flags && fromCursor ? PART.outside : 0)
  );
}

function hasCursor({ after, before }: PageRequest): boolean {
  return (after ?? before) !== undefined;
}

/** Requests of the same scan can be answered by one statement. */
function isSameScan(a: PageRequest, b: PageRequest): boolean {
  return a.order === b.order && scansDown(a) === scansDown(b);
}

/** The places of requests, those of the same scan together. */
function byScan(requests: readonly PageRequest[]): number[][] {
  const scans: { readonly of: PageRequest; readonly indexes: number[] }[] = [];
  requests.forEach((request, i) => {
    const same = scans.find((scan) => isSameScan(scan.of, request));
    if (same === undefined) scans.push({ of: request, indexes: [i] });
    else same.indexes.push(i);
  });
  return scans.map(({ indexes }) => indexes);
}

/** A backward page is the same scan from the other end. */
function scansDown(request: PageRequest): boolean {
  return (request.direction === 'DESC') !== request.backward;
}

/** The request's bounds in key order, which is the list's order turned round when that is descending. */
function bounds(request: PageRequest) {
  const { after, before } = request;
  return request.direction === 'ASC' ? { low: after, high: before } : { low: before, high: after };
}

function idBelow(position: Position | undefined): string | undefined {
  return position === undefined ? undefined : String(BigInt(position.id) - 1n);
}

/** What the statement of this shape asks, a list for each of its columns. */
function parameters(list: ListDefinition, shape: KeysetShape, requests: readonly PageRequest[]) {
  const values: Record<string, string> = {
    ord: arrayLiteral(requests.map((_request, i) => i)),
    size: arrayLiteral(requests.map(sizeOf)),
  };
  const [minId, maxId] = sentinels(list.id);
  if (list.parent !== undefined) values.parent = arrayLiteral(requests.map(({ parent }) => parent ?? minId));
  if (shape.bounded) {
    const bound = requests.map(bounds);
    values.lowId = arrayLiteral(bound.map(({ low }) => low?.id ?? minId));
    // The high bound is the last place of the page, and below an id comes the next smaller one, if no row has it.
    values.highId = arrayLiteral(bound.map(({ high }) => idBelow(high) ?? maxId));
    if (shape.key !== undefined) {
      const [minKey, maxKey] = sentinels(shape.key);
      values.lowKey = arrayLiteral(bound.map(({ low }) => low?.key ?? minKey));
      values.highKey = arrayLiteral(bound.map(({ high }) => high?.key ?? maxKey));
    }
    if (list.range !== undefined) {
      values.from = arrayLiteral(requests.map(({ from }) => from ?? null));
      values.to = arrayLiteral(requests.map(({ to }) => to ?? null));
    }
  }
  if (shape.total) values.wantTotal = arrayLiteral(requests.map(({ needs }) => needs.total));
  return values;
}

/** One more than wanted tells whether there is more; nothing is scanned for a page of which only the count is wanted. */
function sizeOf({ limit, needs }: PageRequest): number {
  if (!needs.rows) return 0;
  return needs.flags ? limit + 1 : limit;
}
