import { sql } from 'drizzle-orm';
import { Trace } from '../trace/trace.ts';
import type { Database } from './client.ts';
import { arrayLiteral, run, statement } from './statement.ts';

/** An index that lists may be read by: a btree over all rows. */
export interface TableIndex {
  readonly unique: boolean;
  readonly columns: readonly {
    /** `null` for an expression. */
    readonly name: string | null;
    readonly descending: boolean;
    readonly nullsFirst: boolean;
    /** Whether it sorts as the column does: in its collation, and by the type's default order. */
    readonly usual: boolean;
  }[];
}

/** What Postgres says of a table. */
export interface TableFacts {
  readonly exists: boolean;
  /** Whether it can have indexes. A view and a foreign table cannot. */
  readonly indexable: boolean;
  /** The columns that it is partitioned by, `null` among them for an expression; `null` when it is not partitioned. */
  readonly partitionedBy: readonly (string | null)[] | null;
  readonly indexes: readonly TableIndex[];
  readonly columns: readonly string[];
  /** The columns that may be NULL; none of a view, which can promise of no column that it is not. */
  readonly nullable: readonly string[];
}

// The name distinguishes the outbox' own statements from those of requests.
const look = statement<{
  ord: number;
  found: boolean;
  indexable: boolean;
  parts: string | null;
  indexes: string;
  columns: string;
  nullable: string;
}>(
  'Catalog.facts',
  sql`select cache_outbox_tables.ord::int as ord, rel.oid is not null as found,
      coalesce(rel.relkind not in ('v', 'f'), false) as indexable,
      (
        select json_agg(a.attname order by k.n)
        from pg_partitioned_table p cross join unnest(p.partattrs) with ordinality as k(attnum, n)
        left join pg_attribute a on a.attrelid = p.partrelid and a.attnum = k.attnum and a.attnum <> 0
        where p.partrelid = rel.oid
      )::text as parts,
      coalesce((
        select json_agg(json_build_object('unique', i.indisunique and i.indimmediate, 'columns', (
          select json_agg(json_build_object('name', a.attname, 'descending', i.indoption[k.n - 1] & 1 = 1,
            'nullsFirst', i.indoption[k.n - 1] & 2 = 2,
            'usual', o.opcdefault and (i.indcollation[k.n - 1] = 0 or i.indcollation[k.n - 1] = a.attcollation)) order by k.n)
          from generate_series(1, i.indnkeyatts) as k(n)
          left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[k.n - 1] and a.attnum <> 0
          left join pg_opclass o on o.oid = i.indclass[k.n - 1]
        )))
        from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
        where i.indrelid = rel.oid and i.indisvalid and i.indpred is null and m.amname = 'btree'
      ), '[]')::text as indexes,
      coalesce(a.columns, '[]')::text as columns, coalesce(a.nullable, '[]')::text as nullable
    from unnest(${sql.placeholder('tables')}::text[]) with ordinality as cache_outbox_tables(name, ord)
    left join pg_class rel on rel.oid = to_regclass(cache_outbox_tables.name)
    cross join lateral (
      select json_agg(attname) as columns,
        json_agg(attname) filter (where not attnotnull and rel.relkind not in ('v', 'm')) as nullable from pg_attribute
      where attrelid = rel.oid and not attisdropped
    ) a order by cache_outbox_tables.ord`,
);

/**
 * Asks Postgres for the indexes and columns of some tables.
 *
 * @param database where the tables are
 * @param tables their names, quoted
 * @returns what Postgres says of each, by its name
 * @throws {DatabaseUnavailable} when Postgres does not answer in time
 */
export async function readTableFacts(
  database: Database,
  tables: readonly string[],
): Promise<ReadonlyMap<string, TableFacts>> {
  const rows = await run(database, look, { tables: arrayLiteral(tables) }, new Trace(database));
  return new Map(
    rows.map(({ ord, found, indexable, parts, indexes, columns, nullable }) => [
      tables[ord - 1] ?? '',
      {
        exists: found,
        indexable,
        partitionedBy: parts === null ? null : (JSON.parse(parts) as (string | null)[]),
        indexes: JSON.parse(indexes) as TableIndex[],
        columns: JSON.parse(columns) as string[],
        nullable: JSON.parse(nullable) as string[],
      },
    ]),
  );
}
