import { sql } from 'drizzle-orm';
import type { Database } from '../postgres/client.ts';
import { run, statement } from '../postgres/statement.ts';
import { Trace } from '../trace/trace.ts';
import { type Taken, waiting } from './outbox.ts';
import { cacheDomains } from './schema.ts';

/** The id of the reader that removes what all others have read. */
export const CLEANER = '00000000-0000-0000-0000-000000000000';

/** How many days a retired domain is remembered. A Redis of that domain that comes back within a day must be recognised. */
const FORGET_DAYS = sql.raw('7');

/** The most rows that one statement removes. */
const CLEAN_BATCH = 10_000;

const limit = sql`${sql.placeholder('limit')}::int`;

// Removes what all domains have read and what is over by now. Transactions that were under way for any domain are left.
// A domain that is locked, because it is being read for, is not retired. A forgotten domain is in no Redis any more: its mark expired long
// before (MARK_MS in src/cache/redis/scripts.ts).
const clean = statement<{ changes: string }>(
  'CacheOutbox.clean',
  sql`with d as materialized (
      select * from ${cacheDomains} where id = ${CLEANER} for no key update skip locked
    ), retired as (
      update ${cacheDomains} set position = null, target = null where id = any(array(
        select id from ${cacheDomains}
        where position is not null and id <> ${CLEANER}
          and drained_at < statement_timestamp() - ${sql.placeholder('retireMs')}::float8 * interval '1 ms'
        for no key update skip locked
      )) returning id
    ), forgotten as (
      delete from ${cacheDomains} where id = any(array(
        select id from ${cacheDomains}
        where position is null and drained_at < statement_timestamp() - ${FORGET_DAYS} * interval '1 day'
        for update skip locked
      ))
    ), met as materialized (
      select (array_agg(pg_snapshot_xmax(seen) order by pg_snapshot_xmax(seen)))[1] as xmax, array_agg(seen) as all_seen from (
        select position as seen from ${cacheDomains}
        where position is not null and id <> ${CLEANER} and id not in (select id from retired)
        union all select pg_current_snapshot()
      ) readers
    ), under_way as materialized (
      select distinct xid from met, unnest(met.all_seen) seen, pg_snapshot_xip(seen) xid where xid < met.xmax
    ), s as materialized (
      select coalesce(d.target, format('%s:%s:%s', coalesce((select xid from under_way order by xid limit 1), met.xmax), met.xmax,
        (select string_agg(xid::text, ',' order by xid) from under_way))::pg_snapshot) as now, statement_timestamp() as at
      from d, met
    ), w as materialized (
      select w.place, w.xid, w.number from d, s, ${waiting(limit)}
    ), step as materialized (
      select count(*) as changes, count(*) >= ${limit} as more, cache_outbox_remove(array_agg(place)) from w
    )
    update ${cacheDomains} updated set
      position = case when step.more then d.position else s.now end,
      drained_at = s.at,
      target = case when step.more then s.now end,
      reached_xid = case when step.more then (select xid from w order by xid desc, number desc limit 1) else '0' end,
      reached_number = case when step.more then (select number from w order by xid desc, number desc limit 1) else 0 end
    from d, s, step where updated.id = d.id
    returning step.changes::text as changes`,
);

/**
 * Removes some of what all domains have read. It retires a domain that has not read for too long, which begins anew if it comes back.
 *
 * @param database where the outbox is
 * @param retireMs how long changes are kept for a domain, in milliseconds
 * @returns how many changes were removed, and whether more wait
 * @throws {DatabaseUnavailable} when Postgres does not do it in time
 */
export async function cleanOutbox(database: Database, retireMs: number): Promise<Taken> {
  const [step] = await run(database, clean, { retireMs, limit: CLEAN_BATCH }, new Trace(database));
  return step === undefined
    ? { changes: null, more: false }
    : { changes: Number(step.changes), more: Number(step.changes) >= CLEAN_BATCH };
}
