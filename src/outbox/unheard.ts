import { sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { nameOfTable } from '../postgres/catalog.ts';
import type { Database } from '../postgres/client.ts';
import { run } from '../postgres/run.ts';
import { arrayLiteral, statement } from '../postgres/statement.ts';
import { Trace } from '../trace/trace.ts';

/** An entity that is to be heard of when its rows change. */
export interface Heard {
  readonly entity: string;
  readonly table: PgTable;
  /** The names of the columns of its key, in order. */
  readonly key: readonly string[];
}

const look = statement<{ ord: number; reason: string | null }>(
  'CacheOutbox.unheard',
  sql`select q.ord::int as ord, cache_outbox_unheard(to_regclass(q.name), q.entity, q.key::text[]) as reason
    from unnest(${sql.placeholder('names')}::text[], ${sql.placeholder('entities')}::text[], ${sql.placeholder('keys')}::text[])
      with ordinality as q(name, entity, key, ord)
    where to_regclass(q.name) is not null`,
);

/**
 * Asks Postgres whether triggers note what changes.
 *
 * @param database where
 * @param heard the entities
 * @returns for each why not, and what to do; `null` where they do, or where there is no such table
 * @throws when the outbox is not there, or of an older version
 * @throws {DatabaseUnavailable} when Postgres does not answer in time
 */
export async function readUnheard(database: Database, heard: readonly Heard[]): Promise<(string | null)[]> {
  const values = {
    names: arrayLiteral(heard.map(({ table }) => nameOfTable(table))),
    entities: arrayLiteral(heard.map(({ entity }) => entity)),
    keys: arrayLiteral(heard.map(({ key }) => arrayLiteral(key))),
  };
  const rows = await run(database, look, values, new Trace({ clock: database.clock }));
  const reasons: (string | null)[] = heard.map(() => null);
  for (const { ord, reason } of rows) reasons[ord - 1] = reason;
  return reasons;
}
