import type { GivenFilters } from '../entity/given-filters.ts';
import { columnsOfIds } from '../entity/key.ts';
import type { ListSource } from '../entity/list-definition.ts';
import { arrayLiteral } from '../postgres/statement.ts';
import type { PageQuery, Position } from './page-request.ts';
import type { PageKind, PageShape } from './page-shape.ts';
import { sortValues } from './position.ts';
import { type Nulls, scanTerms } from './scan.ts';

/**
 * @param request a page that is asked for
 * @returns whether its rows are read from the end of the order; a backward page is the same scan from the other end
 */
export function scansDown({ direction, backward }: PageQuery): boolean {
  return (direction === 'DESC') !== backward;
}

/**
 * @param request a page that is asked for
 * @returns the position that it begins after, in the order in which its rows are read
 */
export function startOf({ backward, after, before }: PageQuery): Position | undefined {
  return backward ? before : after;
}

/**
 * @param request a page that is asked for
 * @returns the position that it ends before, in the order in which its rows are read
 */
export function stopOf({ backward, after, before }: PageQuery): Position | undefined {
  return backward ? after : before;
}

/**
 * @param requests pages that are read by one statement
 * @returns whether it brings their bodies along: not where a page has an end that rows are compared with
 */
export function bringsBodies(requests: readonly PageQuery[]): boolean {
  return requests.every((request) => request.needs.bodies === true && stopOf(request) === undefined);
}

/** Which values of a position are NULL; `null` for no position. */
function nullsOf(position: Position | undefined, orderTerms: number): Nulls | null {
  if (position === undefined) return null;
  return (sortValues(position.key, orderTerms) ?? []).map((value) => (value === null ? 'n' : 'v')).join('');
}

/**
 * @param source the list
 * @param request a page that is asked for
 * @returns a text that distinguishes its kind from others
 */
export function kindName(source: ListSource, request: PageQuery): string {
  const terms = source.orders[request.order]?.length ?? 0;
  const places = [startOf, stopOf].map((placeOf) => nullsOf(placeOf(request), terms));
  return JSON.stringify([...places, ...(request.filters ?? []).map((filter) => filterName(source, filter))]);
}

/** The name of a filter within a statement. Where the value is a part of the condition, the name has it, too. */
function filterName({ filters }: ListSource, [name, text]: GivenFilters[number]): string {
  return filters[name]?.type === null ? `${name} ${text}` : name;
}

/**
 * @param source the list
 * @param requests pages of one order, read in one direction
 * @returns how one statement cuts them out of the list
 */
export function shapeOf(source: ListSource, requests: readonly PageQuery[]): PageShape {
  const [first] = requests as [PageQuery, ...PageQuery[]];
  const orderTerms = source.orders[first.order]?.length ?? 0;
  const named = requests
    .flatMap(({ filters = [] }) => filters)
    .map((given) => [filterName(source, given), given] as const);
  const filters = new Map([...named].sort(([a], [b]) => (a < b ? -1 : 1)));
  const numbers = new Map([...filters.keys()].map((name, i) => [name, i]));
  const kinds = new Map(
    requests.map((request) => [
      kindName(source, request),
      {
        start: nullsOf(startOf(request), orderTerms),
        stop: nullsOf(stopOf(request), orderTerms),
        filters: (request.filters ?? []).map((given) => numbers.get(filterName(source, given)) ?? 0),
      },
    ]),
  );
  return {
    terms: scanTerms(source, first.order, scansDown(first)),
    orderTerms,
    kinds: [...kinds.keys()].sort().map((name) => kinds.get(name) as PageKind),
    filters: [...filters.values()],
    keys: requests.some(({ needs }) => needs.positions),
    total: requests.some(({ needs }) => needs.total),
    outside: requests.some(({ needs, after, before }) => needs.flags && (after ?? before) !== undefined),
    bodies: bringsBodies(requests),
  };
}

/**
 * @param source the list
 * @param shape how the pages are cut
 * @param requests the pages
 * @returns the values of the statement's placeholders, an array for each of its columns
 */
export function valuesOf(source: ListSource, shape: PageShape, requests: readonly PageQuery[]): Record<string, string> {
  const values: Record<string, string> = {
    ord: arrayLiteral(requests.map((_request, i) => i)),
    size: arrayLiteral(requests.map(sizeOf)),
  };
  if (source.parent !== null) {
    const parents = requests.map(({ parent }) => parent ?? '');
    for (const [i, parts] of columnsOfIds(parents, source.parent).entries()) values[`parent${i}`] = arrayLiteral(parts);
  }
  if (shape.kinds.length > 1) {
    const names = [...new Set(requests.map((request) => kindName(source, request)))].sort();
    values.kind = arrayLiteral(requests.map((request) => names.indexOf(kindName(source, request))));
  }
  for (const [bound, placeOf] of [
    ['start', startOf],
    ['stop', stopOf],
  ] as const) {
    if (shape.kinds.every((kind) => kind[bound] === null)) continue;
    const rows = requests.map(placeOf).map((place) => (place === undefined ? [] : boundValues(source, shape, place)));
    for (const i of shape.terms.keys()) values[`${bound}${i}`] = arrayLiteral(rows.map((row) => row[i] ?? null));
  }
  for (const [i, [name]] of shape.filters.entries()) {
    const given = requests.map(({ filters }) => filters?.find(([own]) => own === name)?.[1] ?? null);
    values[`f${i}`] = arrayLiteral(given);
  }
  if (shape.total) values.want_total = arrayLiteral(requests.map(({ needs }) => needs.total));
  return values;
}

function boundValues({ key }: ListSource, { orderTerms }: PageShape, position: Position): readonly (string | null)[] {
  return [...(sortValues(position.key, orderTerms) ?? []), ...key.partsOf(position.id)];
}

/** One row more than wanted tells whether there is more. A page of which only the count is wanted reads no rows. */
function sizeOf({ limit, needs }: PageQuery): number {
  if (!needs.rows) return 0;
  return needs.flags ? limit + 1 : limit;
}
