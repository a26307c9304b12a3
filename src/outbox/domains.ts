import { sql } from 'drizzle-orm';
import type { Database } from '../postgres/client.ts';
import { run, statement } from '../postgres/statement.ts';
import { Trace } from '../trace/trace.ts';
import { CLEANER } from './clean-outbox.ts';
import { waiting } from './outbox.ts';
import { cacheDomains } from './schema.ts';

/** A cache domain as Postgres knows it. */
export interface Domain {
  readonly id: string;
  /** Changes when the domain begins anew: then an invalidation may have been missed. */
  readonly generation: string;
  /** The run of Redis that the domain is. */
  readonly run: string;
  readonly turn: number;
  /** The token that Redis holds, too. Just after a rotation Redis still holds the previous one. */
  readonly token: string;
  readonly previousToken: string;
  /** Whether it was registered in this very database, rather than in the one that this is a copy of. */
  readonly ours: boolean;
  /** Whether it has not read for so long that the outbox no longer waits for it. */
  readonly retired: boolean;
  /** How long ago the token was rotated, in milliseconds. */
  readonly turnedMs: number;
  /** How long ago everything was read, in milliseconds; infinite when that is not known, since Postgres' clock was set back. */
  readonly behindMs: number;
  /** Whether a reading is under way, so that `depth` is only a part. */
  readonly reading: boolean;
  /** How many changes wait; counted no further than 10,000. */
  readonly depth: number;
  /** How long the oldest of them has waited, in milliseconds; 0 when none waits. */
  readonly ageMs: number;
  /** When this Postgres was started. */
  readonly instance: string;
}

const ms = (since: ReturnType<typeof sql>) =>
  sql`(extract(epoch from clock_timestamp() - ${since}) * 1000)::float8::text`;

// One snapshot shows all of it. The count is limited, because this statement runs four times a second.
const look = statement<Record<keyof Domain, string | null>>(
  'CacheDomain.look',
  sql`select d.id, d.generation, d.run, d.turn::text as turn, d.token, d.previous_token as "previousToken",
      (d.database = cache_outbox_database())::text as ours, (d.position is null)::text as retired,
      ${ms(sql`d.turned_at`)} as "turnedMs", ${ms(sql`d.drained_at`)} as "behindMs",
      (d.target is not null)::text as reading, r.depth, r.age as "ageMs", pg_postmaster_start_time()::text as instance
    from ${cacheDomains} d cross join (select pg_current_snapshot() as now offset 0) s cross join lateral (
      select count(*)::text as depth, ${ms(sql`min(w.created_at)`)} as age from ${waiting(sql`10000`)}
    ) r
    where d.id = ${sql.placeholder('id')}::uuid`,
);

const insert = statement<object>(
  'CacheDomain.register',
  sql`insert into ${cacheDomains} (id, database, run, generation, token, previous_token, turn, turned_at, position, drained_at,
      reached_xid, reached_number)
    values (${sql.placeholder('id')}::uuid, cache_outbox_database(), ${sql.placeholder('run')}, gen_random_uuid(),
      ${sql.placeholder('token')}, '', 1, now(), pg_current_snapshot(), now(), '0', 0)`,
);

const remove = statement<object>(
  'CacheDomain.remove',
  sql`delete from ${cacheDomains} where id = ${sql.placeholder('id')}::uuid`,
);

const renew = statement<object>(
  'CacheDomain.renew',
  sql`update ${cacheDomains} set run = ${sql.placeholder('run')}, generation = gen_random_uuid(), position = pg_current_snapshot(),
      drained_at = statement_timestamp(), target = null, target_at = null, reached_xid = '0', reached_number = 0
    where id = ${sql.placeholder('id')}::uuid and generation = ${sql.placeholder('generation')}::uuid`,
);

// Retired ones, too: whoever is cut off from Redis still looks at the domain that it had. The count is of before.
const renewAll = statement<{ living: string }>(
  'CacheDomain.renewAll',
  sql`with renewed as (
      update ${cacheDomains} set generation = gen_random_uuid(),
        position = case when id = ${CLEANER}::uuid then position end, target = case when id = ${CLEANER}::uuid then target end
    )
    select count(*)::text as living from ${cacheDomains} where position is not null and id <> ${CLEANER}::uuid`,
);

const find = statement<{ there: boolean }>(
  'CacheDomain.find',
  sql`select coalesce(has_table_privilege(to_regclass('cache_domains'), 'SELECT'), false) as there /* cache_outbox */`,
);

/**
 * @param database where the outbox may be
 * @returns whether the outbox is there and may be read
 * @throws {DatabaseUnavailable} when Postgres does not answer in time
 */
export async function hasOutbox(database: Database): Promise<boolean> {
  const [row] = await run(database, find, {}, new Trace({ clock: database.clock }));
  return row?.there === true;
}

/**
 * Lets every domain begin anew: each process sees a new generation, and forgets what it holds.
 *
 * @param database where the domains are registered
 * @returns how many domains there are, without those that were retired
 * @throws {DatabaseUnavailable} when Postgres does not do it in time
 */
export async function renewAllDomains(database: Database): Promise<number> {
  const [row] = await run(database, renewAll, {}, new Trace(database));
  return Number(row?.living);
}

/**
 * Looks at a domain and at what waits for it in the outbox.
 *
 * @param database where the domain is registered
 * @param id its id
 * @returns what is known of it; `null` when it is not registered
 * @throws {DatabaseUnavailable} when Postgres does not answer in time
 */
export async function lookAtDomain(database: Database, id: string): Promise<Domain | null> {
  const [row] = await run(database, look, { id }, new Trace(database));
  if (row === undefined) return null;
  const text = (name: keyof Domain) => row[name] ?? '';
  const number = (name: keyof Domain) => Math.max(0, Number(row[name] ?? 0));
  const flag = (name: keyof Domain) => row[name] === 'true';
  return {
    id,
    generation: text('generation'),
    run: text('run'),
    turn: number('turn'),
    token: text('token'),
    previousToken: text('previousToken'),
    ours: flag('ours'),
    retired: flag('retired'),
    turnedMs: number('turnedMs'),
    behindMs: Number(row.behindMs) < 0 ? Number.POSITIVE_INFINITY : number('behindMs'),
    reading: flag('reading'),
    depth: number('depth'),
    ageMs: number('ageMs'),
    instance: text('instance'),
  };
}

/**
 * Registers a domain. It counts as having read everything that is committed now.
 *
 * @param database where to register it
 * @param domain its id, its run of Redis, and a token that nobody else has
 * @throws {DatabaseUnavailable} when Postgres does not do it in time
 */
export async function registerDomain(
  database: Database,
  domain: { readonly id: string; readonly run: string; readonly token: string },
): Promise<void> {
  await run(database, insert, domain, new Trace(database));
}

/**
 * Takes a domain that nobody has used out of the register.
 *
 * @param database where the domain is registered
 * @param id its id
 * @throws {DatabaseUnavailable} when Postgres does not do it in time
 */
export async function removeDomain(database: Database, id: string): Promise<void> {
  await run(database, remove, { id }, new Trace(database));
}

/**
 * Lets a domain begin anew, unless another process did so meanwhile. What was cached before no longer answers reads by id, so the domain
 * need not read what changed before.
 *
 * @param database where the domain is registered
 * @param domain the domain as it was read
 * @param redisRun its run of Redis from now on
 * @throws {DatabaseUnavailable} when Postgres does not do it in time
 */
export async function renewDomain(
  database: Database,
  { id, generation }: Pick<Domain, 'id' | 'generation'>,
  redisRun: string,
): Promise<void> {
  await run(database, renew, { id, generation, run: redisRun }, new Trace(database));
}
