import { sql } from 'drizzle-orm';
import { Trace } from '../trace/trace.ts';
import type { Database } from './client.ts';
import { type RunInTransaction, run, transaction } from './run.ts';
import { cacheOutbox } from './schema.ts';
import { statement } from './statement.ts';

/** An entity whose row changed. */
export interface Change {
  readonly entity: string;
  readonly id: string;
}

/** What waits in the outbox. */
export interface OutboxStatus {
  /** How many changes wait; counted no further than 10,000. */
  readonly depth: number;
  /** How long the oldest has waited, in milliseconds; 0 when none waits. */
  readonly ageMs: number;
}

// As an array, so that the plan is fixed before the batch is known: one index scan for the batch, one probe for each row.
const take = statement<Change>(
  'CacheOutbox.take',
  sql`delete from ${cacheOutbox} where seq = any(array(
      select seq from ${cacheOutbox} order by seq limit ${sql.placeholder('limit')}::int for update skip locked
    )) returning entity, entity_id as id`,
);

// A long outbox is not counted to its end four times a second. The oldest change is among the first: a statement gets its
// numbers and its times in the same order, and only what was written at the very same moment may stand the other way round.
const look = statement<{ depth: string; age: string | null }>(
  'CacheOutbox.look',
  sql`select
      (select count(*) from (select from ${cacheOutbox} limit 10000) counted)::text as depth,
      (select extract(epoch from clock_timestamp() - min(created_at)) * 1000
        from (select created_at from ${cacheOutbox} order by seq limit 1000) first)::text as age`,
);

/**
 * Takes the oldest changes out of the outbox. Rows that another process is taking are skipped, and nothing is taken
 * unless `handle` succeeds: a change whose invalidation failed stays for the next try.
 *
 * @param database where the outbox is
 * @param limit how many changes at most
 * @param handle drops the cached bodies of the changed entities; not called when nothing waits
 * @returns how many changes were taken
 * @throws what `handle` throws, with nothing taken
 * @throws {DatabaseUnavailable} when it cannot be done in time
 */
export function drainOutbox(
  database: Database,
  limit: number,
  handle: (changes: Change[]) => Promise<void>,
): Promise<number> {
  const work = async (run: RunInTransaction) => {
    const rows = await run(take, { limit });
    const changes = new Map(rows.map((row) => [`${row.entity}-${row.id}`, row]));
    if (changes.size > 0) await handle([...changes.values()]);
    return rows.length;
  };
  return transaction(database, take.name, work, new Trace({ clock: database.clock }));
}

/**
 * Looks into the outbox. Changes that another process is taking still count: they are not done.
 *
 * @param database where the outbox is
 * @returns how much waits and for how long
 * @throws {DatabaseUnavailable} when Postgres does not answer in time
 */
export async function outboxStatus(database: Database): Promise<OutboxStatus> {
  const [row] = await run(database, look, {}, new Trace({ clock: database.clock }));
  return { depth: Number(row?.depth ?? 0), ageMs: Math.max(0, Number(row?.age ?? 0)) };
}
