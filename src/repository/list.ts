import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Database } from '../db/client.ts';
import { type KeysetRow, type KeysetShape, keysetStatement, sentinels } from '../db/keyset.ts';
import { run } from '../db/run.ts';
import { arrayLiteral, type Statement } from '../db/statement.ts';
import type { Trace } from '../trace/trace.ts';
import type { ListDefinition } from './entity-definition.ts';
import type { PageRequest, Position, Ref } from './page.ts';

/** What the list statement says of one page: ids, versions and places, never bodies. */
export interface RefPage {
  readonly refs: readonly Ref[];
  /** A place for each ref; `null` unless positions were needed. */
  readonly positions: readonly Position[] | null;
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
  readonly total: number | null;
}

/** Cuts pages from one list. */
export type ListReader = (database: Database, requests: readonly PageRequest[], trace: Trace) => Promise<RefPage[]>;

/**
 * Makes the reader of one list. Requests of the same order and scan direction share one statement, whatever their
 * parents, limits and cursors.
 *
 * @param name what the list is called in figures
 * @param entity the listed entity's table
 * @param list the list
 * @returns a function that answers requests in order
 */
export function listReader(name: string, entity: PgTable, list: ListDefinition): ListReader {
  const statements = new Map<string, Statement<KeysetRow>>();
  // A column that cannot be paged over is found out when the process starts.
  for (const column of [list.id, list.range, ...Object.values(list.orders)]) if (column) sentinels(column);
  const source = { ...list, name, entity };

  const statementFor = (shape: KeysetShape): Statement<KeysetRow> => {
    const variant = [shape.key?.name, shape.descending, shape.keys, shape.total, shape.outside].join();
    let found = statements.get(variant);
    if (found === undefined) {
      found = keysetStatement(source, shape);
      statements.set(variant, found);
    }
    return found;
  };

  const readVariant = async (database: Database, requests: readonly PageRequest[], trace: Trace) => {
    const first = requests[0] as PageRequest;
    const key = list.orders[first.order];
    if (key === undefined) throw new TypeError(`${name} has no order ${first.order}`);
    const descending = scansDown(first);
    const shape: KeysetShape = {
      ...(key === null ? {} : { key }),
      descending,
      keys: requests.some((request) => request.needs.positions),
      total: requests.some((request) => request.needs.total),
      outside: requests.some((request) => request.needs.flags && (request.after ?? request.before) !== undefined),
    };
    const rows = await run(database, statementFor(shape), parameters(list, key, requests), trace);
    const pages: RefPage[] = [];
    for (const row of rows) pages[row.ord] = toPage(row, requests[row.ord] as PageRequest);
    return pages;
  };

  return async (database, requests, trace) => {
    const groups = new Map<string, number[]>();
    requests.forEach((request, i) => {
      const variant = variantOf(request);
      groups.set(variant, [...(groups.get(variant) ?? []), i]);
    });
    const pages: RefPage[] = [];
    await Promise.all(
      [...groups.values()].map(async (indexes) => {
        const read = await readVariant(
          database,
          indexes.map((i) => requests[i] as PageRequest),
          trace,
        );
        indexes.forEach((index, i) => {
          pages[index] = read[i] as RefPage;
        });
      }),
    );
    return pages;
  };
}

function variantOf(request: PageRequest): string {
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

function parameters(list: ListDefinition, key: PgColumn | null, requests: readonly PageRequest[]) {
  const [minKey, maxKey] = sentinels(key ?? list.id);
  const [minId, maxId] = sentinels(list.id);
  const [from, to] = sentinels(list.range ?? list.id);
  const column = (pick: (request: PageRequest) => string | number | boolean) => arrayLiteral(requests.map(pick));
  return {
    ord: arrayLiteral(requests.map((_request, i) => i)),
    parent: column((request) => request.parent ?? minId),
    // One more than wanted tells whether there is more; nothing is scanned for a page of which only the count is wanted.
    size: column((request) => (request.needs.rows ? request.limit + 1 : 0)),
    lowKey: column((request) => bounds(request).low?.key ?? minKey),
    lowId: column((request) => bounds(request).low?.id ?? minId),
    highKey: column((request) => bounds(request).high?.key ?? maxKey),
    // The high bound is the last place of the page, and below an id comes the next smaller one, if no row has it.
    highId: column((request) => idBelow(bounds(request).high) ?? maxId),
    from: column((request) => request.from ?? from),
    to: column((request) => request.to ?? to),
    wantTotal: column((request) => request.needs.total),
  };
}

function toPage(row: KeysetRow, request: PageRequest): RefPage {
  const versions = split(row.versions);
  const all = split(row.ids).map((id, i) => ({ id, version: versions[i] as string }));
  const refs = all.slice(0, request.limit);
  const positions = row.keys === undefined ? null : refs.map((ref, i) => ({ key: row.keys?.[i] ?? null, id: ref.id }));
  const more = all.length > request.limit;
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
