import { sql } from 'drizzle-orm';
import type { Database } from '../postgres/client.ts';
import { run, statement } from '../postgres/statement.ts';
import { Trace } from '../trace/trace.ts';

/** How long Postgres may wait for whoever holds a domain in the middle of a statement, in milliseconds. */
export const STUCK_MS = 5000;

// Postgres waits for the rest of a statement without end: `statement_timeout` does not interrupt that, and `idle_in_transaction_session_timeout`
// begins after it. The driver sends a statement in two parts the first time, so whoever is stopped in between keeps its locks.
// (ProcessInterrupts in src/backend/tcop/postgres.c; `transaction_timeout` comes with Postgres 17.)
const end = statement<object>(
  'CacheOutbox.endStuck',
  sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and state = 'active' and wait_event_type = 'Client'
      and state_change < statement_timestamp() - ${sql.placeholder('ms')}::float8 * interval '1 ms'
      and pid in (
        select pid from pg_locks
        where relation = 'cache_domains'::regclass and mode = 'RowShareLock' and granted
          and database = (select oid from pg_database where datname = current_database())
      )`,
);

/**
 * Ends the connections of processes that hold a domain and have stood still in the middle of a statement.
 *
 * @param database where the domains are registered
 * @returns how many were ended
 * @throws {DatabaseUnavailable} when Postgres does not do it in time
 */
export async function endStuck(database: Database): Promise<number> {
  return (await run(database, end, { ms: STUCK_MS }, new Trace(database))).length;
}
