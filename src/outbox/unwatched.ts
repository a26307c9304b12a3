import { sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { nameOfTable } from '../postgres/catalog.ts';
import type { Database } from '../postgres/client.ts';
import { arrayLiteral, run, statement } from '../postgres/statement.ts';
import { Trace } from '../trace/trace.ts';

/** An entity whose changes are to be noticed. */
export interface Watched {
  readonly entity: string;
  readonly table: PgTable;
  /** The names of the columns of its key, in order. */
  readonly key: readonly string[];
}

// Which rows a role sees under row security may follow from a setting of its connection, or the time of day: no trigger says when that changes.
const look = statement<{ ord: number; reason: string | null }>(
  'CacheOutbox.unheard',
  sql`select q.ord::int as ord, case when row_security_active(to_regclass(q.name)::oid) then format(
        '%s has row security, and no trigger says when policies show other rows to %s: declare the entity with unwatched, or connect as a role that they do not bind',
        to_regclass(q.name), current_user
      ) else cache_outbox_unheard(to_regclass(q.name), q.entity, q.key::text[]) end as reason
    from unnest(${sql.placeholder('names')}::text[], ${sql.placeholder('entities')}::text[], ${sql.placeholder('keys')}::text[])
      with ordinality as q(name, entity, key, ord)
    where to_regclass(q.name) is not null`,
);

/**
 * Asks Postgres whether triggers note the changes of entities.
 *
 * @param database where the tables are
 * @param entities the entities
 * @returns for each entity why not and what to do; `null` where triggers note them, or where there is no such table
 * @throws when the outbox is missing, or of an older version
 * @throws {DatabaseUnavailable} when Postgres does not answer in time
 */
export async function readUnwatched(database: Database, entities: readonly Watched[]): Promise<(string | null)[]> {
  const values = {
    names: arrayLiteral(entities.map(({ table }) => nameOfTable(table))),
    entities: arrayLiteral(entities.map(({ entity }) => entity)),
    keys: arrayLiteral(entities.map(({ key }) => arrayLiteral(key))),
  };
  const rows = await run(database, look, values, new Trace({ clock: database.clock }));
  const reasons: (string | null)[] = entities.map(() => null);
  for (const { ord, reason } of rows) reasons[ord - 1] = reason;
  return reasons;
}
