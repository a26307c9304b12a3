import type { PgTable } from 'drizzle-orm/pg-core';
import type { Database } from '../db/client.ts';
import { type KeysetRow, type KeysetShape, keysetStatement, sentinels } from '../db/keyset.ts';
import { run } from '../db/run.ts';
import { arrayLiteral } from '../db/statement.ts';
import type { ListDefinition } from './entity-definition.ts';
import type { PageRequest, Position, Ref, RefPage } from './page.ts';
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
  const variants = new Map<string, ReadPages>();
  // A column that cannot be paged over is found out when the process starts.
  for (const column of [list.id, list.range, ...Object.values(list.orders)]) if (column) sentinels(column);
  const source = { ...list, name, entity };

  const variantOf = (shape: KeysetShape): ReadPages => {
    const { key, descending, bounded, keys, total, outside } = shape;
    const variant = `${key?.name} ${descending} ${bounded} ${keys} ${total} ${outside}`;
    let found = variants.get(variant);
    if (found === undefined) {
      const statement = keysetStatement(source, shape);
      found = sharedReads(statement.name, async (requests, trace) => {
        const rows = await run(database, statement, parameters(list, shape, requests), trace);
        const pages: RefPage[] = [];
        for (const row of rows) pages[row.ord] = toPage(row, requests[row.ord] as PageRequest);
        return pages;
      });
      variants.set(variant, found);
    }
    return found;
  };

  const shapeOf = (requests: readonly PageRequest[]): KeysetShape => {
    const first = requests[0] as PageRequest;
    const key = list.orders[first.order];
    if (key === undefined) throw new TypeError(`${name} has no order ${first.order}`);
    // Written out: one that is spread together was half of what outlived the requests that asked for it.
    return {
      key: key ?? undefined,
      descending: scansDown(first),
      bounded: requests.some((request) => hasCursor(request) || (request.from ?? request.to) !== undefined),
      keys: requests.some((request) => request.needs.positions),
      total: requests.some((request) => request.needs.total),
      outside: requests.some((request) => request.needs.flags && hasCursor(request)),
    };
  };

  const readAlike: ReadPages = (requests, trace) => variantOf(shapeOf(requests))(requests, trace);

  return async (requests, trace) => {
    const groups = new Map<string, number[]>();
    requests.forEach((request, i) => {
      const scan = scanOf(request);
      const group = groups.get(scan);
      if (group === undefined) groups.set(scan, [i]);
      else group.push(i);
    });
    if (groups.size === 1) return readAlike(requests, trace);
    const pages: RefPage[] = [];
    await Promise.all(
      [...groups.values()].map(async (indexes) => {
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

function hasCursor({ after, before }: PageRequest): boolean {
  return (after ?? before) !== undefined;
}

/** Requests of the same scan can be answered by one statement. */
function scanOf(request: PageRequest): string {
  return `${request.order} ${scansDown(request)}`;
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
  const column = (pick: (request: PageRequest) => string | number | boolean) => arrayLiteral(requests.map(pick));
  const values: Record<string, string> = {
    ord: arrayLiteral(requests.map((_request, i) => i)),
    size: column(sizeOf),
  };
  const [minId, maxId] = sentinels(list.id);
  if (list.parent !== undefined) values.parent = column((request) => request.parent ?? minId);
  if (shape.bounded) {
    const [minKey, maxKey] = sentinels(shape.key ?? list.id);
    values.lowKey = column((request) => bounds(request).low?.key ?? minKey);
    values.lowId = column((request) => bounds(request).low?.id ?? minId);
    values.highKey = column((request) => bounds(request).high?.key ?? maxKey);
    // The high bound is the last place of the page, and below an id comes the next smaller one, if no row has it.
    values.highId = column((request) => idBelow(bounds(request).high) ?? maxId);
    const [from, to] = sentinels(list.range ?? list.id);
    values.from = column((request) => request.from ?? from);
    values.to = column((request) => request.to ?? to);
  }
  if (shape.total) values.wantTotal = column((request) => request.needs.total);
  return values;
}

/** One more than wanted tells whether there is more; nothing is scanned for a page of which only the count is wanted. */
function sizeOf({ limit, needs }: PageRequest): number {
  if (!needs.rows) return 0;
  return needs.flags ? limit + 1 : limit;
}

function toPage(row: KeysetRow, request: PageRequest): RefPage {
  const ids = split(row.ids);
  const versions = split(row.versions);
  const refs: Ref[] = [];
  for (let i = 0; i < ids.length && i < request.limit; i += 1) {
    refs.push({ id: ids[i] as string, version: versions[i] as string });
  }
  const positions = row.keys === undefined ? null : refs.map((ref, i) => ({ key: row.keys?.[i] ?? null, id: ref.id }));
  const more = ids.length > request.limit;
  const beforeStart = request.direction === 'ASC' ? row.below : row.above;
  const afterEnd = request.direction === 'ASC' ? row.above : row.below;
  if (request.backward) {
    refs.reverse();
    positions?.reverse();
  }
  return {
    refs,
    positions,
    hasNext: (request.backward ? false : more) || (afterEnd ?? false),
    hasPrevious: (request.backward ? more : false) || (beforeStart ?? false),
    total: row.total == null ? null : Number(row.total),
  };
}

function split(text: string | null): string[] {
  return text === null ? [] : text.split(',');
}
