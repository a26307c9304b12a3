import type { Database } from './client.ts';

/** An entity whose row changed. */
export interface Change {
  readonly entity: string;
  readonly id: string;
}

/** What waits in the outbox. */
export interface OutboxStatus {
  /** How many changes wait. */
  readonly depth: number;
  /** How long the oldest has waited, in milliseconds; 0 when none waits. */
  readonly ageMs: number;
}

/**
 * Takes the oldest changes out of the outbox. Rows that another process is taking are skipped, and nothing is taken
 * unless `handle` succeeds: a change whose invalidation failed stays for the next try.
 *
 * @param database where the outbox is
 * @param limit how many changes at most
 * @param handle drops the cached bodies of the changed entities; not called when nothing waits
 * @returns how many changes were taken
 * @throws what `handle` throws, with nothing taken
 */
export async function drainOutbox(
  database: Database,
  limit: number,
  handle: (changes: Change[]) => Promise<void>,
): Promise<number> {
  return database.client.begin(async (transaction) => {
    const rows = await transaction<Change[]>`
      delete from cache_outbox where seq = any(array(
        select seq from cache_outbox order by seq limit ${limit} for update skip locked
      )) returning entity, entity_id as id`;
    const changes = new Map(rows.map((row) => [`${row.entity}-${row.id}`, row]));
    if (changes.size > 0) await handle([...changes.values()]);
    return rows.length;
  });
}

/**
 * Looks into the outbox. Changes that another process is taking still count: they are not done.
 *
 * @param database where the outbox is
 * @returns how much waits and for how long
 */
export async function outboxStatus(database: Database): Promise<OutboxStatus> {
  const [row] = await database.client<{ depth: string; age: string | null }[]>`
    select count(*)::text as depth, (extract(epoch from clock_timestamp() - min(created_at)) * 1000)::text as age
    from cache_outbox`;
  return { depth: Number(row?.depth ?? 0), ageMs: Math.max(0, Number(row?.age ?? 0)) };
}
