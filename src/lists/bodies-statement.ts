import { sql } from 'drizzle-orm';
import type { LoadedBody } from '../cache/entry.ts';
import { type EntityRow, VERSION } from '../entity/entity-row.ts';
import { idText, isListedAsJson, isNamed } from '../entity/key.ts';
import type { ListSource } from '../entity/list-definition.ts';
import { type Statement, statement } from '../postgres/statement.ts';
import type { PageRow } from './page.ts';
import { pageRanges } from './page-ranges.ts';
import type { PageShape } from './page-shape.ts';
import { askedRows, keyText, pageColumns } from './page-statement.ts';
import { place } from './scan.ts';

/** An entry of a page with its row, or the description of a page without entries. No field of an entity has these names. */
type EntryRow = EntityRow & {
  '#ord': number;
  /** The page's count and flags. */
  '#page'?: Pick<PageRow, 'total' | 'behind' | 'beyond'>;
  /** `null` where the page has no entries. */
  '#id': string | null;
  '#key'?: NonNullable<PageRow['keys']>[number];
};

/**
 * Writes a statement that cuts pages like `pageStatement`, and brings along the bodies of their entries, one entry in a row. Where caches
 * lack bodies, it saves a round trip. A subquery with a limit finds each row by its key. With a join, Postgres could prefer to read the
 * whole table.
 *
 * @param source the list
 * @param shape the order, and what is wanted of each page; no page ends before a position
 * @returns a statement with a placeholder for each column that `askedColumns` names
 */
export function bodiesStatement(source: ListSource, shape: PageShape): Statement<EntryRow> {
  const { entity, isJoined, id, key } = source;
  const ranges = pageRanges(source, shape);
  const ofPage = pageColumns(shape, ranges);
  const said =
    ofPage.length === 0 ? sql`` : sql` cross join lateral (select ${sql.join([...ofPage], sql`, `)} offset 0) page`;
  const own = [
    sql`${idText(id, 't')} as "#id"`,
    ...(shape.keys ? [sql`${keyText(shape.terms.slice(0, shape.orderTerms))} as "#key"`] : []),
    ...(isJoined ? id.map((column, i) => sql`${place(column)} as ${ownKey(i)}`) : [source.bodyOf('t')]),
  ];
  const columns = [
    sql`q.ord as "#ord"`,
    ...(ofPage.length === 0 ? [] : [sql`to_json(page.*) as "#page"`]),
    ...(isJoined ? [sql`row."#id"`, ...(shape.keys ? [sql`row."#key"`] : []), sql`body.*`] : [sql`row.*`]),
  ];
  const same = key.columns.map((column, i) =>
    isNamed(column, sql`e.${sql.identifier(column.name)}`, sql`row.${ownKey(i)}`),
  );
  const body = isJoined
    ? sql` left join lateral (select ${source.bodyOf('e')} from ${entity} e where ${sql.join(same, sql` and `)} limit 1) body on true`
    : sql``;
  return statement(
    source.name,
    sql`
      select ${sql.join(columns, sql`, `)}
      from ${askedRows(source, shape)}${said}
      left join lateral (${ranges.read('start', shape.terms, false, sql.join(own, sql`, `), sql`q.size`)}) row on true${body}`,
  );
}

/**
 * @param source the list
 * @param rows the rows of its statement
 * @returns a row for each page, as `pageStatement` has them, with bodies
 */
export function pageRows({ key, toBody }: ListSource, rows: readonly EntryRow[]): PageRow[] {
  const text = isListedAsJson(key)
    ? (ids: readonly string[]) => JSON.stringify(ids)
    : (ids: readonly string[]) => ids.join();
  const pages: Entries[] = [];
  for (const { '#ord': ord, '#page': said, '#id': id, '#key': sortKey, ...row } of rows) {
    const page = pages[ord] ?? { said, ids: [], versions: [], keys: sortKey === undefined ? null : [], bodies: [] };
    pages[ord] = page;
    if (id === null) continue;
    const body = row[VERSION] === null ? null : toBody(row as EntityRow);
    page.ids.push(id);
    page.versions.push(body?.version ?? '');
    page.keys?.push(sortKey ?? null);
    page.bodies.push(body);
  }
  return pages.map(({ said, ids, versions, keys, bodies }, ord) => {
    const named = ids.length === 0 ? { ids: null, versions: null } : { ids: text(ids), versions: versions.join() };
    return { ...said, ...named, ...(keys === null ? {} : { keys }), ord, bodies };
  });
}

/** A page whose entries are being collected. */
interface Entries {
  readonly said: EntryRow['#page'];
  readonly ids: string[];
  readonly versions: string[];
  /** `null` where they are not wanted. */
  readonly keys: NonNullable<PageRow['keys']> | null;
  readonly bodies: (LoadedBody | null)[];
}

/** A column of the key that an entry of a join table refers to. */
function ownKey(i: number) {
  return sql.identifier(`#${i}`);
}
