import { getTableColumns, getTableName, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { KeysetSource } from '../entity/keyset-source.ts';
import { type Statement, statement } from '../postgres/statement.ts';
import { bounds, filterEnds } from './keyset-bounds.ts';
import type { KeysetShape } from './keyset-shape.ts';

/** One row for each page asked for; lists are comma-separated and `null` when empty. */
export interface KeysetRow {
  ord: number;
  ids: string | null;
  versions: string | null;
  keys?: (string | null)[] | null;
  total?: string | null;
  below?: boolean | null;
  above?: boolean | null;
}

/**
 * Writes the statement that cuts any number of pages from one list in one go. Limits and cursors are data (arrays that
 * `unnest` turns into rows), so siblings with different arguments share it, and each page is one index range scan of
 * its own length: `lateral` with sentinels, because `cursor is null or …` and `row_number()` read the whole list.
 * A page begins after its low bound and ends with its high one, because the greatest id is one that a row can have.
 *
 * @param source the list
 * @param shape the order and what else is wanted of each page
 * @returns a statement with the placeholders ord and size and, as the source and the shape need them, parent, lowId, highId, lowKey,
 *   highKey, from, to and wantTotal
 */
export function keysetStatement(source: KeysetSource, shape: KeysetShape): Statement<KeysetRow> {
  const column = (c: PgColumn) => sql`t.${sql.identifier(c.name)}`;
  const id = column(source.id);
  const key = shape.key === undefined ? undefined : column(shape.key);
  const position = key === undefined ? id : sql`(${key}, ${id})`;
  const bound = bounds(source, shape);
  const inParent = source.parent === undefined ? sql`true` : sql`${column(source.parent)} = q.parent`;
  const range = !shape.bounded || source.range === undefined ? undefined : column(source.range);
  // Conditions that no index can be read by: where the order is another, its index alone is to be read.
  const inRange =
    range === undefined
      ? null
      : sql`(q.from_key is null or ${range} > q.from_key) and (q.to_key is null or ${range} < q.to_key)`;
  const between = (after: SQL | null, upTo: SQL | null) => {
    const conditions = [inParent];
    if (bound.from === null && inRange !== null) conditions.push(inRange);
    if (after !== null) conditions.push(sql`${position} > ${after}`);
    if (upTo !== null) conditions.push(sql`${position} <= ${upTo}`);
    return sql.join(conditions, sql` and `);
  };
  const order = (direction: 'asc' | 'desc') =>
    key === undefined
      ? sql`${id} ${sql.raw(direction)}`
      : sql`${key} ${sql.raw(direction)}, ${id} ${sql.raw(direction)}`;
  // Not `exists`: Postgres drops the order inside of it, and may then prefer to read the table from its start.
  const any = (rows: SQL, direction: 'asc' | 'desc') =>
    sql`(select true from ${source.from} t where ${rows} order by ${order(direction)} limit 1) is not null`;
  const columns: SQL[] = [sql`q.ord`, sql`page.ids`, sql`page.versions`];
  if (shape.keys) columns.push(sql`page.keys`);
  if (shape.total) {
    const ends = source.range === undefined ? null : filterEnds(source.id, source.range);
    const place = sql`(${range}, ${id})`;
    const counted =
      range === undefined || ends === null ? sql`true` : sql`${place} > ${ends.from} and ${place} <= ${ends.to}`;
    const count = sql`(select count(*) from ${source.from} t where ${inParent} and ${counted})`;
    columns.push(sql`case when q.want_total then ${count}::text end as total`);
  }
  if (shape.outside) {
    columns.push(sql`${any(between(bound.from, bound.upToLow), 'desc')} as below`);
    columns.push(sql`${any(between(bound.afterHigh, bound.to), 'asc')} as above`);
  }
  const asked = askedColumns(source, shape);
  return statement(
    source.name,
    sql`
      select ${sql.join(columns, sql`, `)}
      from unnest(${sql.join(
        asked.map(([value, , type]) => sql`${sql.placeholder(value)}::${sql.raw(type)}[]`),
        sql`, `,
      )}) as q(${sql.raw(asked.map(([, name]) => name).join(', '))})
      cross join lateral (
        select string_agg(row.id, ',') as ids, string_agg(row.version, ',') as versions${
          shape.keys ? sql`, json_agg(row.key) as keys` : sql``
        }
        from (
          select ${id}::text as id, ${version(source, id)} as version${
            shape.keys ? sql`, ${key === undefined ? sql`null` : key}::text as key` : sql``
          }
          from ${source.from} t
          where ${between(bound.afterLow, bound.upToHigh)}
          order by ${order(shape.descending ? 'desc' : 'asc')}
          limit q.size
        ) row
      ) page`,
  );
}

/** What is said of each page: the placeholder, the column that it becomes, and the column's type. */
function askedColumns({ parent, range }: KeysetSource, shape: KeysetShape): [string, string, string][] {
  const { key, bounded } = shape;
  const columns: [string, string, string][] = [
    ['ord', 'ord', 'int'],
    ['size', 'size', 'int'],
  ];
  if (parent !== undefined) columns.push(['parent', 'parent', 'bigint']);
  if (bounded) columns.push(['lowId', 'low_id', 'bigint'], ['highId', 'high_id', 'bigint']);
  if (bounded && key !== undefined) {
    columns.push(['lowKey', 'low_key', key.getSQLType()], ['highKey', 'high_key', key.getSQLType()]);
  }
  if (bounded && range !== undefined) {
    columns.push(['from', 'from_key', range.getSQLType()], ['to', 'to_key', range.getSQLType()]);
  }
  if (shape.total) columns.push(['wantTotal', 'want_total', 'bool']);
  return columns;
}

/** On a join table the version costs one primary-key probe for each row of the page, after the limit. */
function version(source: KeysetSource, id: SQL): SQL {
  if (source.entity === source.from) return sql`t.xmin::text`;
  const primary = Object.values(getTableColumns(source.entity)).find((column) => column.primary);
  if (primary === undefined) throw new TypeError(`${getTableName(source.entity)} has no single-column primary key`);
  return sql`(select e.xmin::text from ${source.entity} e where e.${sql.identifier(primary.name)} = ${id})`;
}
