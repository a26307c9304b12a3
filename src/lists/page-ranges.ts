import { type SQL, sql } from 'drizzle-orm';
import type { Filter } from '../entity/filter.ts';
import type { ListSource } from '../entity/list-definition.ts';
import { sqlType } from '../postgres/sql-type.ts';
import type { PageKind, PageShape } from './page-shape.ts';
import { type Nulls, orderBy, place, rangesAfter, type ScanTerm } from './scan.ts';

/** A filter within a statement: its condition, and its number among those of the page. */
interface Placed {
  readonly filter: Filter;
  readonly value: SQL;
  readonly condition: SQL;
  /** The condition in a form that makes Postgres read rows in the list's order. */
  readonly inOrder: SQL;
}

/** Reads rows of a list in order. */
export interface PageRanges {
  /** How many rows the list has in all, filtered, but not limited by the page. */
  readonly count: SQL;
  /**
   * @param bound the positions that pages begin after
   * @param terms the columns in whose order rows are read
   * @param inclusive whether the row at the position counts, too; then nothing is read where there is no position
   * @param columns the columns to read of each row
   * @param limit how many rows at most
   * @returns a query for the rows, in order; `null` when there is nothing to read
   */
  read(bound: Bound, terms: readonly ScanTerm[], inclusive: boolean, columns: SQL, limit: SQL): SQL | null;
  /**
   * @param kinds some of the kinds of the pages
   * @returns whether a page is of one of them; `null` where all are
   */
  isOf(kinds: readonly PageKind[]): SQL | null;
}

/** The position that a page begins after, or the one that it ends before. */
type Bound = 'start' | 'stop';

/**
 * @param source the list
 * @param shape how its pages are cut
 * @returns the parts of a statement that read the rows of its pages
 */
export function pageRanges(source: ListSource, shape: PageShape): PageRanges {
  const placed = shape.filters.map(([name, text], i): Placed => {
    const filter = source.filters[name];
    if (filter === undefined) throw new TypeError(`${source.name} has no filter ${name}`);
    const value = sql.raw(`q.f${i}`);
    const condition = filter.condition(value, text);
    // In another order, only the order's index may be read. The index of the range would read all of it, and sort.
    const isAside = ['gt', 'gte', 'lt', 'lte'].includes(filter.operator) && filter.column !== shape.terms[0]?.column;
    return { filter, value, condition, inOrder: isAside ? sql`(${value} is null or ${condition})` : condition };
  });
  const filtersOf = (kind: PageKind) => kind.filters.map((i) => placed[i] as Placed);
  const ofParent = [
    ...(source.parent?.columns ?? []).map((column, i) => sql`${place(column)} = ${sql.raw(`q.parent${i}`)}`),
    // A row that names no entity is not in the list.
    ...source.id
      .filter(({ notNull, primary }) => !notNull && !primary)
      .map((column) => sql`${place(column)} is not null`),
  ];
  const isOf: PageRanges['isOf'] = (kinds) => {
    if (kinds.length === shape.kinds.length) return null;
    const numbers = kinds.map((kind) => shape.kinds.indexOf(kind));
    return sql.raw(numbers.length === 1 ? `q.kind = ${numbers[0]}` : `q.kind in (${numbers.join(', ')})`);
  };
  /** Groups kinds of pages by a property. */
  const grouped = (kinds: readonly PageKind[], same: (kind: PageKind) => unknown) => {
    const groups = new Map<string, PageKind[]>();
    for (const kind of kinds) {
      const name = JSON.stringify(same(kind));
      groups.set(name, [...(groups.get(name) ?? []), kind]);
    }
    return [...groups.values()] as [PageKind, ...PageKind[]][];
  };
  const counts = grouped(shape.kinds, ({ filters }) => filters).map((kinds) => {
    const conditions = filtersOf(kinds[0]).map(({ condition }) => condition);
    const count = sql`(select count(*) from ${source.from} t where ${all([...ofParent, ...conditions])})`;
    return { of: isOf(kinds), count };
  });
  const [onlyCount] = counts;
  return {
    isOf,
    count:
      counts.length === 1 && onlyCount !== undefined
        ? onlyCount.count
        : sql`case ${sql.join(
            counts.map(({ of, count }) => sql`when ${of ?? sql`true`} then ${count}`),
            sql` `,
          )} end`,
    read: (bound, terms, inclusive, columns, limit) => {
      const kinds = inclusive ? shape.kinds.filter((kind) => kind[bound] !== null) : shape.kinds;
      const queries = grouped(kinds, (kind) => [kind[bound], kind.filters]).flatMap((same) => {
        const of = isOf(same);
        const [kind] = same;
        return rangesOf(terms, bound, kind[bound], inclusive, filtersOf(kind)).map((range) => {
          const where = all([...(of === null ? [] : [of]), ...ofParent, ...range]);
          return sql`select ${columns} from ${source.from} t where ${where} order by ${orderBy(terms)} limit ${limit}`;
        });
      });
      return queries.length === 0 ? null : inTurn(queries, limit);
    },
  };
}

/** The ranges after a position that pass some filters, each as its conditions. */
function rangesOf(
  terms: readonly ScanTerm[],
  bound: Bound,
  nulls: Nulls | null,
  inclusive: boolean,
  filters: readonly Placed[],
): readonly (readonly SQL[])[] {
  const conditions = filters.map(({ inOrder }) => inOrder);
  if (nulls === null) return [conditions];
  const [first] = terms as [ScanTerm, ...ScanTerm[]];
  const own = nulls[0] === 'n' ? [] : filters.filter((filter) => isOfOrder(first, filter));
  if (own.length === 0) {
    return rangesAfter(terms, bound, nulls, inclusive).map((range) => [...conditions, range]);
  }
  // NULL passes none of these filters.
  const filled = [{ ...first, nullable: false }, ...terms.slice(1)];
  const after = (from: number) => rangesAfter(filled, bound, nulls, inclusive, from);
  const at = sql.raw(`q.${bound}0`);
  const same = own.filter(({ filter }) => filter.operator === 'eq');
  if (same.length > 0) {
    const equal = same.map(({ value }) => sql`${at} = ${value}`);
    const before = same.map(({ value }) => sql`${at} ${sql.raw(first.descending ? '>' : '<')} ${value}`);
    return [...after(1).map((range) => [...equal, ...conditions, range]), [...before, ...conditions]];
  }
  const others = filters.filter((filter) => !own.includes(filter)).map(({ inOrder }) => inOrder);
  const within = all(
    own.map(({ filter, value }) => sql`${at} ${sql.raw(COMPARISONS[filter.operator] ?? '')} ${value}`),
  );
  return [...after(0).map((range) => [within, ...others, range]), [sql`not (${within})`, ...conditions]];
}

const COMPARISONS: Readonly<Record<string, string>> = { eq: '=', gt: '>', gte: '>=', lt: '<', lte: '<=' };

/** Types whose comparison does not depend on a column. Text depends on the collation of its column. */
const COMPARED =
  /^(smallint|integer|bigint|numeric|real|double precision|boolean|date|uuid|time|timestamp)( with(out)? time zone)?$|^"/;

/**
 * Whether a filter limits the index range that a page begins in, as its cursor does. Given both limits, Postgres begins at one of them, and
 * reads on to the other, however far away that is. So the statement first finds out which one comes later.
 */
function isOfOrder({ column, descending }: ScanTerm, { filter }: Placed): boolean {
  const bounding = descending ? ['eq', 'lt', 'lte'] : ['eq', 'gt', 'gte'];
  return filter.column === column && bounding.includes(filter.operator) && COMPARED.test(sqlType(column));
}

/**
 * Reads ranges one after the other. Each is a subquery with a limit, which Postgres runs neither in parallel nor asynchronously. It begins
 * a range when the one before has ended, and none after the limit of all.
 */
function inTurn(queries: readonly SQL[], limit: SQL): SQL {
  const [first] = queries;
  if (queries.length === 1 && first !== undefined) return first;
  const ranges = queries.map((query) => sql`(${query})`);
  return sql`select * from (${sql.join(ranges, sql` union all `)}) ranges limit ${limit}`;
}

function all(conditions: readonly SQL[]): SQL {
  return conditions.length === 0 ? sql`true` : sql.join([...conditions], sql` and `);
}
