import { type SQL, sql } from 'drizzle-orm';
import { idText, isListedAsJson, isNamed } from '../entity/key.ts';
import type { ListSource } from '../entity/list-definition.ts';
import { sqlType } from '../postgres/sql-type.ts';
import { type Statement, statement } from '../postgres/statement.ts';
import type { PageRow } from './page.ts';
import { type PageRanges, pageRanges } from './page-ranges.ts';
import type { PageShape } from './page-shape.ts';
import { isBefore, place, reversed, type ScanTerm } from './scan.ts';

/**
 * Writes the statement that cuts any number of pages out of one list. Limits, cursors and filters are data (arrays that `unnest` turns into
 * rows), so siblings with different arguments share it. Each page is a few index range scans of its own length.
 *
 * It is `lateral`, because `row_number()` reads the whole list. And it has a range for each way to go on from the cursor, because `cursor
 * is null or …` reads the whole list, too.
 *
 * @param source the list
 * @param shape the order, and what is wanted of each page
 * @returns a statement with a placeholder for each column that `askedColumns` names
 */
export function pageStatement(source: ListSource, shape: PageShape): Statement<PageRow> {
  const { terms, kinds } = shape;
  const ranges = pageRanges(source, shape);
  const { read, isOf } = ranges;
  const columns: SQL[] = [sql`q.ord`, sql`page.ids`, sql`page.versions`];
  if (shape.keys) columns.push(sql`page.keys`);
  columns.push(...pageColumns(shape, ranges));
  const stopped = kinds.filter(({ stop }) => stop !== null);
  const isStopped = stopped.length > 0;
  const row = sql.join(
    [
      sql`${idText(source.id, 't')} as id`,
      sql`${versionOf(source)} as version`,
      ...(shape.keys ? [sql`${keyText(terms.slice(0, shape.orderTerms))} as key`] : []),
      ...(isStopped ? terms.map(({ column }, i) => sql`${place(column)} as ${sql.raw(`c${i}`)}`) : []),
    ],
    sql`, `,
  );
  // Rows beyond the page come last, so that reading and dropping them costs no more than the page.
  const ofStopped = isOf(stopped);
  const upToStop = sql` where ${ofStopped === null ? sql`` : sql`not (${ofStopped}) or `}${isBefore(terms, 'stop', 'row.c')}`;
  return statement(
    source.name,
    sql`
      select ${sql.join(columns, sql`, `)}
      from ${askedRows(source, shape)}
      cross join lateral (
        select ${isListedAsJson(source.key) ? sql`json_agg(row.id)::text` : sql`string_agg(row.id, ',')`} as ids,
          string_agg(row.version, ',') as versions${shape.keys ? sql`, json_agg(row.key) as keys` : sql``}
        from (${read('start', terms, false, row, sql`q.size`)}) row${isStopped ? upToStop : sql``}
      ) page`,
  );
}

/**
 * @param shape how pages are cut
 * @param ranges what reads their rows
 * @returns what is said of a page beside its rows: its count, and whether there is more outside of its bounds
 */
export function pageColumns({ terms, total, outside }: PageShape, { count, read }: PageRanges): readonly SQL[] {
  // No `exists`: Postgres drops the order within it, and may then prefer to read the table from its start.
  const any = (bound: 'start' | 'stop', inOrder: readonly ScanTerm[]) => {
    const query = read(bound, inOrder, true, sql`true`, sql`1`);
    return query === null ? sql`false` : sql`(${query}) is not null`;
  };
  return [
    ...(total ? [sql`case when q.want_total then (${count})::text end as total`] : []),
    ...(outside ? [sql`${any('start', reversed(terms))} as behind`, sql`${any('stop', terms)} as beyond`] : []),
  ];
}

/**
 * @param source a list
 * @param shape how its pages are cut
 * @returns the pages that are asked for, as the rows `q` of a statement
 */
export function askedRows(source: ListSource, shape: PageShape): SQL {
  const asked = askedColumns(source, shape);
  const arrays = asked.map(([name, type]) => sql`${sql.placeholder(name)}::${sql.raw(type)}[]`);
  return sql`unnest(${sql.join(arrays, sql`, `)}) as q(${sql.raw(asked.map(([name]) => name).join(', '))})`;
}

/**
 * @param source a list
 * @param shape how its pages are cut
 * @returns the description of each page: the columns, whose names the placeholders have, too, and their types
 */
export function askedColumns(source: ListSource, shape: PageShape): readonly (readonly [name: string, type: string])[] {
  const columns: (readonly [string, string])[] = [
    ['ord', 'int'],
    ['size', 'int'],
  ];
  source.parent?.columns.forEach((column, i) => {
    columns.push([`parent${i}`, sqlType(column)]);
  });
  if (shape.kinds.length > 1) columns.push(['kind', 'int']);
  for (const bound of ['start', 'stop'] as const) {
    if (shape.kinds.every((kind) => kind[bound] === null)) continue;
    for (const [i, { column }] of shape.terms.entries()) columns.push([`${bound}${i}`, sqlType(column)]);
  }
  shape.filters.forEach(([name], i) => {
    const type = source.filters[name]?.type ?? null;
    if (type !== null) columns.push([`f${i}`, type]);
  });
  if (shape.total) columns.push(['want_total', 'bool']);
  return columns;
}

/**
 * @param terms the columns of an order
 * @returns their values as text: an array where there are several
 */
export function keyText(terms: readonly ScanTerm[]): SQL {
  const [first, ...others] = terms.map(({ column }) => sql`${place(column)}::text`);
  if (first === undefined) return sql`null::text`;
  return others.length === 0 ? first : sql`json_build_array(${sql.join([first, ...others], sql`, `)})`;
}

/**
 * On a join table, the version costs one primary-key probe for each row of the page, after the limit. It is empty for a row that leads to
 * no entity.
 */
function versionOf({ entity, isJoined, id, key, version }: ListSource): SQL {
  if (!isJoined) return version.of('t');
  const same = key.columns.map((column, i) =>
    isNamed(column, sql`e.${sql.identifier(column.name)}`, place(id[i] as (typeof id)[number])),
  );
  return sql`coalesce((select ${version.of('e')} from ${entity} e where ${sql.join(same, sql` and `)}), '')`;
}
