import { type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { ListSource } from '../entity/list-definition.ts';

/** A column in whose order rows are read: one of the order's, or one of the key's, which come last. */
export interface ScanTerm {
  readonly column: PgColumn;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  readonly nullable: boolean;
}

/**
 * Which sort values of a position are NULL, a letter for each column of the order: `v` for a value, `n` for NULL. The key's values are left
 * out. An index is searched for NULL in another way than for a value.
 */
export type Nulls = string;

/**
 * @param source the list
 * @param order one of its orders
 * @param down whether rows are read from the end of the order
 * @returns the columns in whose order rows are read
 */
export function scanTerms({ orders, id }: ListSource, order: string, down: boolean): readonly ScanTerm[] {
  const terms = (orders[order] ?? []).map((term) => ({ ...term, nullable: !term.column.notNull }));
  // The key has the same direction, so that an index read in one direction serves both.
  const descending = terms.at(-1)?.descending ?? false;
  const key = id.map((column) => ({ column, descending, nullsFirst: descending, nullable: false }));
  return down ? reversed([...terms, ...key]) : [...terms, ...key];
}

/**
 * @param terms the columns in whose order rows are read
 * @returns the same from the other end
 */
export function reversed(terms: readonly ScanTerm[]): readonly ScanTerm[] {
  return terms.map((term) => ({ ...term, descending: !term.descending, nullsFirst: !term.nullsFirst }));
}

/**
 * @param terms the columns
 * @returns the text after `order by`; the place of NULL is written where it is not the default, or where NULL may occur
 */
export function orderBy(terms: readonly ScanTerm[]): SQL {
  return sql.join(
    terms.map(({ column, descending, nullsFirst, nullable }) => {
      const nulls = nullable && nullsFirst !== descending ? ` nulls ${nullsFirst ? 'first' : 'last'}` : '';
      return sql`${place(column)} ${sql.raw(`${descending ? 'desc' : 'asc'}${nulls}`)}`;
    }),
    sql`, `,
  );
}

/**
 * @param column a column of the scanned table
 * @returns its value in the row `t`
 */
export function place(column: PgColumn): SQL {
  return sql`t.${sql.identifier(column.name)}`;
}

/**
 * The rows after a position, as ranges of an index. Each range is read in order, and all of its rows come before those of the next. One
 * comparison of rows would do if all columns had one direction and none were NULL. Otherwise Postgres cannot find the start of such a
 * comparison in the index.
 *
 * @param terms the columns in whose order rows are read
 * @param bound the name of the position's values: `start` for `q.start0`, `q.start1`, …
 * @param nulls which of them are NULL
 * @param inclusive whether the row at the position counts, too
 * @param first the first column that is compared; those before it are known to be equal
 * @returns the conditions of each range
 */
export function rangesAfter(
  terms: readonly ScanTerm[],
  bound: string,
  nulls: Nulls,
  inclusive: boolean,
  first = 0,
): readonly SQL[] {
  const value = (i: number) => sql.raw(`q.${bound}${i}`);
  const isNull = (i: number) => nulls[i] === 'n';
  const all = (conditions: readonly SQL[]) =>
    conditions.length === 0 ? sql`true` : sql.join([...conditions], sql` and `);

  const from = (i: number, same: readonly SQL[]): SQL[] => {
    const term = terms[i];
    if (term === undefined) return inclusive ? [all(same)] : [];
    const at = place(term.column);
    const nullsLast = term.nullable && !term.nullsFirst ? [all([...same, sql`${at} is null`])] : [];
    const operator = sql.raw(term.descending ? '<' : '>');
    const rest = terms.slice(i);
    const isOneRange = rest.every(
      ({ descending, nullable }, n) => descending === term.descending && !isNull(i + n) && (n === 0 || !nullable),
    );
    if (isOneRange) {
      const row = (parts: readonly SQL[]) =>
        parts.length === 1 ? sql.join([...parts]) : sql`(${sql.join([...parts], sql`, `)})`;
      const left = row(rest.map(({ column }) => place(column)));
      const right = row(rest.map((_term, n) => value(i + n)));
      return [all([...same, sql`${left} ${operator}${sql.raw(inclusive ? '=' : '')} ${right}`]), ...nullsLast];
    }
    if (isNull(i)) {
      const others = term.nullsFirst ? [all([...same, sql`${at} is not null`])] : [];
      return [...from(i + 1, [...same, sql`${at} is null`]), ...others];
    }
    return [
      ...from(i + 1, [...same, sql`${at} = ${value(i)}`]),
      all([...same, sql`${at} ${operator} ${value(i)}`]),
      ...nullsLast,
    ];
  };
  return from(first, []);
}

/**
 * A condition for any row: whether it comes before a position.
 *
 * @param terms the columns in whose order rows are read
 * @param bound the name of the position's values
 * @param row the name of the row's values: `row.c` for `row.c0`, `row.c1`, …
 * @returns the condition
 */
export function isBefore(terms: readonly ScanTerm[], bound: string, row: string): SQL {
  const value = (i: number) => sql.raw(`q.${bound}${i}`);
  const own = (i: number) => sql.raw(`${row}${i}`);
  const from = (i: number): SQL => {
    const term = terms[i];
    if (term === undefined) return sql`false`;
    const [a, b] = [own(i), value(i)];
    const less = sql`${a} ${sql.raw(term.descending ? '>' : '<')} ${b}`;
    const [first, second] = term.nullsFirst ? [a, b] : [b, a];
    const before = term.nullable ? sql`coalesce(${less}, ${first} is null and ${second} is not null)` : less;
    const same = term.nullable ? sql`${a} is not distinct from ${b}` : sql`${a} = ${b}`;
    return sql`(${before} or (${same} and ${from(i + 1)}))`;
  };
  return from(0);
}
