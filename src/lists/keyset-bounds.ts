import { getTableName, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { KeysetSource } from '../entity/keyset-source.ts';
import type { KeysetShape } from './keyset-shape.ts';

/** The smallest and largest value of each type a page can be bounded by: with no cursor they stand in for one. */
const SENTINELS: Record<string, readonly [string, string]> = {
  bigint: ['-9223372036854775808', '9223372036854775807'],
  'timestamp(6) with time zone': ['-infinity', 'infinity'],
};

/**
 * The least and the greatest value of a column's type.
 *
 * @param column a bigint or timestamptz column
 * @returns the two values as SQL text
 * @throws when a list is declared over a column of another type
 */
export function sentinels(column: PgColumn): readonly [string, string] {
  const pair = SENTINELS[column.getSQLType()];
  if (pair === undefined) {
    throw new TypeError(`${getTableName(column.table)}.${column.name}: no sentinels for ${column.getSQLType()}`);
  }
  return pair;
}

/**
 * The ends of the index ranges that are read. Sorted by the range filter's own column, the filter and the cursor become one
 * pair of bounds: given both, Postgres begins at the filter's and reads on to the cursor, however far away that is.
 *
 * @param source the list
 * @param shape how its pages are cut
 * @returns places as SQL: the ends of the filter, and what lies after and up to the low and the high bound; `null` where there is none
 */
export function bounds({ id, range }: KeysetSource, { key, bounded }: KeysetShape) {
  if (!bounded) return { from: null, to: null, afterLow: null, upToLow: null, afterHigh: null, upToHigh: null };
  if (key === undefined || key !== range) {
    const place = (side: string) => sql.raw(key === undefined ? `q.${side}_id` : `(q.${side}_key, q.${side}_id)`);
    const [low, high] = [place('low'), place('high')];
    return { from: null, to: null, afterLow: low, upToLow: low, afterHigh: high, upToHigh: high };
  }
  const [minId, maxId] = literals(id);
  // `greatest` and `least` pass over a filter that has no end.
  const after = (side: string) =>
    sql.raw(
      `(greatest(${side}_key, q.from_key), case when q.from_key is null or ${side}_key > q.from_key then ${side}_id else ${maxId} end)`,
    );
  const upTo = (side: string) =>
    sql.raw(
      `(least(${side}_key, q.to_key), case when q.to_key is null or ${side}_key < q.to_key then ${side}_id else ${minId} end)`,
    );
  return {
    ...filterEnds(id, key),
    afterLow: after('q.low'),
    upToLow: upTo('q.low'),
    afterHigh: after('q.high'),
    upToHigh: upTo('q.high'),
  };
}

/**
 * The places that the range filter lies between: after the first and up to the second. Rows at the very end of a filter are outside of
 * it, whatever their id, and where there is none the last value of the type is inside.
 *
 * @param id the column of ids
 * @param range the column that is filtered
 * @returns the two places as SQL
 */
export function filterEnds(id: PgColumn, range: PgColumn) {
  const [minId, maxId] = literals(id);
  const [min, max] = literals(range);
  return {
    from: sql.raw(`(coalesce(q.from_key, ${min}), case when q.from_key is null then ${minId} else ${maxId} end)`),
    to: sql.raw(`(coalesce(q.to_key, ${max}), case when q.to_key is null then ${maxId} else ${minId} end)`),
  };
}

/** The sentinels of a column as SQL. */
function literals(column: PgColumn): readonly string[] {
  return sentinels(column).map((value) => `'${value}'::${column.getSQLType()}`);
}
