import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../postgres/client.ts';
import { run, statement } from '../postgres/statement.ts';
import { type RunInTransaction, transaction } from '../postgres/transaction.ts';
import { Trace } from '../trace/trace.ts';
import { cacheDomains } from './schema.ts';

/** An entity whose row changed. */
export interface Change {
  readonly entity: string;
  readonly id: string;
}

/** A domain that reads the outbox, as it was read from the register. */
export interface Reader {
  readonly id: string;
  /** Changes when the domain begins anew. */
  readonly generation: string;
  /** The token that Redis is known to hold. `turn` rotates it. */
  readonly token: string;
}

/** How a step of reading or removing went. */
export interface Taken {
  /** How many changes were read or removed; `null` when another process is doing it. */
  readonly changes: number | null;
  /** Whether more wait. */
  readonly more: boolean;
}

/**
 * The SQL that gives the first changes which wait for a reader `d` and which the snapshot `s.now` shows.
 *
 * @param most how many at most
 * @returns a call, to be joined laterally as `w`
 */
export function waiting(most: SQL): SQL {
  return sql`cache_outbox_waiting(d.position, d.reached_xid, d.reached_number, s.now, ${most}) w`;
}

const limit = sql`${sql.placeholder('limit')}::int`;
const reader = sql`d.id = ${sql.placeholder('id')}::uuid and d.generation = ${sql.placeholder('generation')}::uuid and d.position is not null`;

// `skip locked`, since a statement that waited for the lock would see the rows from before its holder was done.
const lock = statement<object>(
  'CacheOutbox.lock',
  sql`select from ${cacheDomains} d where ${reader} for no key update skip locked`,
);

/** What a step has read: how many rows, the last of them, and up to which snapshot. */
interface Step {
  readonly snapshot: string;
  readonly at: string;
  readonly xid: string | null;
  readonly number: string | null;
  readonly changes: string;
  readonly rows: string;
}

// `statement_timestamp()` is before the snapshot was taken.
const read = statement<Step>(
  'CacheOutbox.read',
  sql`with d as materialized (select * from ${cacheDomains} where id = ${sql.placeholder('id')}::uuid),
    s as materialized (
      select coalesce(d.target, pg_current_snapshot()) as now, coalesce(d.target_at, statement_timestamp()) as at from d
    )
    select s.now::text as snapshot, s.at::text as at, r.* from d, s cross join lateral (
      select count(*)::text as changes, (array_agg(w.xid order by w.xid desc, w.number desc))[1]::text as xid,
        (array_agg(w.number order by w.xid desc, w.number desc))[1]::text as number,
        coalesce(json_agg(json_build_array(w.entity, w.entity_id::text)), '[]')::text as rows
      from ${waiting(limit)}
    ) r`,
);

const goOn = statement<object>(
  'CacheOutbox.goOn',
  sql`update ${cacheDomains} d set target = ${sql.placeholder('snapshot')}::pg_snapshot, target_at = ${sql.placeholder('at')}::timestamptz,
      reached_xid = ${sql.placeholder('xid')}::xid8, reached_number = ${sql.placeholder('number')}::bigint
    where ${reader}`,
);

const arrive = statement<object>(
  'CacheOutbox.arrive',
  sql`update ${cacheDomains} d set position = ${sql.placeholder('snapshot')}::pg_snapshot,
      drained_at = ${sql.placeholder('at')}::timestamptz, target = null, target_at = null, reached_xid = '0', reached_number = 0
    where ${reader}`,
);

const turn = statement<object>(
  'CacheOutbox.turn',
  sql`with d as materialized (
      select * from ${cacheDomains} d where ${reader} and token = ${sql.placeholder('token')} for no key update skip locked
    ), s as materialized (select pg_current_snapshot() as now, statement_timestamp() as at),
    idle as materialized (select from d, s where d.target is null and not exists (select from ${waiting(sql`1`)}))
    update ${cacheDomains} updated set
      token = gen_random_uuid()::text, previous_token = d.token, turn = d.turn + 1, turned_at = s.at,
      position = case when exists (select from idle) then s.now else d.position end,
      drained_at = case when exists (select from idle) then s.at else d.drained_at end
    from d, s where updated.id = d.id`,
);

/**
 * Reads the next changes for a domain. They count as read only when `handle` succeeds: a change whose invalidation failed comes again.
 *
 * @param database where the outbox is
 * @param domain the domain
 * @param limit how many changes at most
 * @param handle invalidates the cached bodies of the changed entities; not called when nothing waits
 * @returns how many changes were read, and whether more wait
 * @throws what `handle` throws
 * @throws {DatabaseUnavailable} when Postgres does not do it in time
 */
export function drainOutbox(
  database: Database,
  { id, generation }: Reader,
  limit: number,
  handle: (changes: Change[]) => Promise<void>,
): Promise<Taken> {
  const work = async (run: RunInTransaction): Promise<Taken> => {
    const [mine] = await run(lock, { id, generation });
    const [step] = mine === undefined ? [] : await run(read, { id, limit });
    if (step === undefined) return { changes: null, more: false };
    const rows = JSON.parse(step.rows) as [entity: string, id: string][];
    const changes = new Map(rows.map(([entity, id]) => [`${entity}-${id}`, { entity, id }]));
    if (changes.size > 0) await handle([...changes.values()]);
    const more = rows.length >= limit;
    const { snapshot, at, xid, number } = step;
    if (more) await run(goOn, { id, generation, snapshot, at, xid, number });
    else await run(arrive, { id, generation, snapshot, at });
    return { changes: rows.length, more };
  };
  return transaction(database, 'CacheOutbox.drain', work, new Trace(database));
}

/**
 * Rotates the token of a domain, unless another process rotates it or reads for the domain. Notes, too, when nothing waits for the domain.
 *
 * @param database where the domain is registered
 * @param domain the domain
 * @throws {DatabaseUnavailable} when Postgres does not do it in time
 */
export async function turnToken(database: Database, { id, generation, token }: Reader): Promise<void> {
  await run(database, turn, { id, generation, token }, new Trace(database));
}
