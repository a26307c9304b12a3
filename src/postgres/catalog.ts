import { sql } from 'drizzle-orm';
import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core';
import { Trace } from '../trace/trace.ts';
import type { Database } from './client.ts';
import { arrayLiteral, run, statement } from './statement.ts';

/** What Postgres says of the columns of some tables: for each table, in order, a text by the column's name. */
export type Catalog = readonly ReadonlyMap<string, string>[];

// The text has the xmin of a column's row in the catalog. Postgres writes that row anew whenever the column changes, so a change and its
// reverse leave another text. The same holds for the expression of a generated column.
// Types are followed to their parts: domains, elements, fields and ranges. Labels of an enum leave no trace in the column's row.
// Rows also come and go without a trigger: with partitions, which TRUNCATE gives another file; while a trigger is off; and when a view is
// replaced. When a watched table is rewritten into another file, its rows may get other versions. Bodies of any other are asked for by their
// version anyway, and it may be loaded anew each minute by a TRUNCATE.
// A role that policies bind has shapes of its own: that it sees no row does not answer others.
const look = statement<{ ord: number; name: string; said: string }>(
  'Catalog.look',
  sql`with recursive cache_outbox_columns as materialized (
      select q.ord, a.attrelid, a.attname, a.attnum, a.atttypid, a.atttypmod, a.xmin::text as changed,
        case when a.attgenerated <> '' then
          (select d.xmin::text from pg_attrdef d where d.adrelid = a.attrelid and d.adnum = a.attnum)
        end as generated
      from unnest(${sql.placeholder('tables')}::text[]) with ordinality as q(name, ord)
      join pg_attribute a on a.attrelid = to_regclass(q.name) and a.attnum > 0 and not a.attisdropped
    ), relations(ord, root, oid, watched) as (
      select q.ord, to_regclass(q.name), to_regclass(q.name), q.watched
      from unnest(${sql.placeholder('tables')}::text[], ${sql.placeholder('watched')}::bool[]) with ordinality as q(name, watched, ord)
      union all
      select r.ord, r.root, i.inhrelid, r.watched from relations r join pg_inherits i on i.inhparent = r.oid
    ), facts as (
      select ord, string_agg(fact, ';' order by fact) as said from relations r, lateral (
        select concat_ws(' ', 'part', c.oid, c.relfilenode, i.xmin) as fact from pg_class c join pg_inherits i on i.inhrelid = c.oid
          where c.oid = r.oid and r.oid <> r.root
        union all
        select concat_ws(' ', 'file', c.relfilenode) from pg_class c where c.oid = r.oid and r.oid = r.root and r.watched
        union all
        select concat_ws(' ', 'trigger', t.oid, t.xmin) from pg_trigger t
          where t.tgrelid = r.oid and (t.tgparentid <> 0 or not t.tgisinternal)
        union all
        select concat_ws(' ', 'view', v.oid, v.xmin) from pg_rewrite v where v.ev_class = r.oid
        union all
        select 'policies' from pg_class c where c.oid = r.oid and r.oid = r.root and row_security_active(c.oid)
        union all
        select concat_ws(' ', 'key', k.indexrelid) from pg_index k where k.indrelid = r.oid and r.oid = r.root and k.indisprimary
      ) found group by ord
    ), parts(root, oid) as (
      select distinct atttypid, atttypid from cache_outbox_columns where atttypid >= 16384
      union
      select parts.root, made.oid from parts, lateral (
        select unnest(array[t.typelem, t.typbasetype]) as oid from pg_type t where t.oid = parts.oid
        union all
        select a.atttypid from pg_type t join pg_attribute a on a.attrelid = t.typrelid
          where t.oid = parts.oid and a.attnum > 0 and not a.attisdropped
        union all
        select r.rngsubtype from pg_range r where parts.oid in (r.rngtypid, r.rngmultitypid)
      ) made where made.oid >= 16384
    ), types as (
      select root, string_agg(concat_ws(' ', parts.oid,
        (select string_agg(e.oid || e.enumlabel, ',' order by e.oid) from pg_enum e where e.enumtypid = parts.oid),
        (select string_agg(a.attnum || ':' || a.xmin, ',' order by a.attnum) from pg_type t
          join pg_attribute a on a.attrelid = t.typrelid where t.oid = parts.oid and a.attnum > 0)
      ), ';' order by parts.oid) as said
      from parts group by root
    )
    select ord::int as ord, attname as name,
      md5(concat_ws(' ', attrelid, attnum, atttypid, atttypmod, changed, generated, types.said, facts.said)) as said
    from cache_outbox_columns left join types on types.root = atttypid left join facts using (ord)
    order by ord, attnum`,
);

/**
 * Asks Postgres about the columns of some tables. The text of a column changes whenever its rows may have other values without having been
 * written.
 *
 * @param database where the tables are
 * @param tables the tables, and whether triggers note the changes of their rows
 * @returns the texts; none for a table that does not exist
 * @throws {DatabaseUnavailable} when Postgres does not answer in time
 */
export async function readCatalog(
  database: Database,
  tables: readonly { readonly table: PgTable; readonly isWatched: boolean }[],
): Promise<Catalog> {
  const given = {
    tables: arrayLiteral(tables.map(({ table }) => nameOfTable(table))),
    watched: arrayLiteral(tables.map(({ isWatched }) => String(isWatched))),
  };
  const rows = await run(database, look, given, new Trace(database));
  const catalog = tables.map(() => new Map<string, string>());
  for (const { ord, name, said } of rows) catalog[ord - 1]?.set(name, said);
  return catalog;
}

/**
 * @param table a table
 * @returns its name as SQL text, with its schema where it declares one
 */
export function nameOfTable(table: PgTable): string {
  const { schema, name } = getTableConfig(table);
  return [...(schema === undefined ? [] : [schema]), name].map((part) => `"${part.replaceAll('"', '""')}"`).join('.');
}
