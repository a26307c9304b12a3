import { randomUUID } from 'node:crypto';
import { type Clock, sleep } from '../clock.ts';
import type { Trace } from '../trace/trace.ts';
import { cacheKey } from './cache-key.ts';
import {
  type Body,
  decodeEntry,
  type EntitySpace,
  encodeEntry,
  entityAlone,
  keptForOthers,
  LEASE_MARK,
  type LoadedBody,
  NO_EPOCH,
} from './entry.ts';
import type { Lacks } from './lacks.ts';
import { lifetimeMs } from './lifetime.ts';
import type { Values } from './redis/dialect.ts';
import type { Fill } from './redis/lease.ts';
import type { RedisTier } from './redis/tier.ts';

/** An entity to read, with the version that a list named, or `null` for a read by id. */
export interface Want {
  readonly id: string;
  readonly version: string | null;
  /** The row of that version, where the list brought it along; `null` when there is none. */
  readonly body?: LoadedBody | null | undefined;
}

/** Reads rows from the primary: the bodies that exist, by id. */
export type Loader = (ids: string[], trace: Trace) => Promise<Map<string, LoadedBody>>;

/** Where a reading looks before Postgres, and what it fills. */
export interface ReadThroughOptions {
  readonly redis: RedisTier | null;
  /** Comes before every key. */
  readonly prefix: string;
  /** How long a body is kept, in milliseconds. */
  readonly ttlMs: number;
  readonly clock: Clock;
  /** How many readings in a row have missed an entity, by the kind of entity. */
  readonly missed: Map<string, number>;
  /** What caches have lacked of late of what lists named. */
  readonly lacks: Lacks;
}

/**
 * Tells whether a cached body of another version than the wanted one stays, because it may be newer (see `Lagging`). Then it is left out.
 */
export type Stays = (key: string, version: string | null) => boolean;

/** After so many readings in a row with a miss, the next is expected to miss, too. */
const EXPECT_MISSES = 3;

/** How long to wait before asking again for a key that another reader is filling, in milliseconds. */
const LEASED_WAIT_MS = 5;

/**
 * One reading of some entities: Redis first, then one SELECT for what it does not hold. Postgres decides which version
 * counts: a body is used for a ref only when its version is equal, and for an id only while the heartbeat vouches for
 * the run of Redis that it was read in.
 *
 * Only a reader who asked for a lease before its SELECT, and still holds it afterwards, fills: a slow reader cannot put
 * an old body over a newer one (Nishtala et al., Scaling Memcache at Facebook, NSDI 2013, section 3.2.1).
 *
 * @param options the Redis tier and its keys
 * @param kind the kind of entity
 * @param wants what to read, each id once, at least one
 * @param load reads what Redis does not hold
 * @param trace the request's trace
 * @param stays asked of bodies in other versions; `null` where none stays
 * @param known how many that were wanted with these were in memory
 * @returns a body for each id that exists, `null` for each that does not; those whose bodies stay are left out
 * @throws what `load` throws
 */
export async function readThrough(
  options: ReadThroughOptions,
  kind: EntitySpace,
  wants: readonly Want[],
  load: Loader,
  trace: Trace,
  stays: Stays | null = null,
  known = 0,
): Promise<Map<string, Body | null>> {
  // A copy of the present shape. A body that is read before the columns change does not have the shape afterwards.
  const space = { ...kind };
  const { redis, prefix, missed, lacks } = options;
  const counts = trace.entity(space.entity);
  const found = new Map<string, Body | null>();
  /** The values of keys whose bodies did not answer, by id. */
  const unused = new Map<string, string>();
  const key = (want: Want) => cacheKey(prefix, space.entity, want.id);
  /** The ids that are left out. */
  const leftOut = new Set<string>();
  const left = () => wants.filter(({ id }) => !found.has(id) && !leftOut.has(id));

  /** Where misses are expected, the same round trip takes leases. Otherwise an MGET is less work for Redis. */
  const ask = () =>
    (missed.get(space.entity) ?? 0) >= EXPECT_MISSES
      ? redis?.readOrLease(
          wants.map(key),
          wants.map(({ version }) => version !== null),
          token,
          trace,
        )
      : redis?.read(wants.map(key), trace);

  /** Takes the values that answer their wants, and returns the keys of bodies that do not. */
  const take = (asked: readonly Want[], { values, epoch }: Values): string[] => {
    const unfit: string[] = [];
    asked.forEach((want, i) => {
      const text = values[i] ?? null;
      const entry = decodeEntry(text, want.id, space);
      const isCertified = epoch !== null && entry?.epoch === epoch;
      const current = want.version === null ? isCertified : entry?.body?.version === want.version;
      if (entry !== null && current) {
        const { body } = entry;
        // Without a certificate it may have been invalidated since it was read: who names its version may have an old ref.
        found.set(want.id, body === null || isCertified ? body : { ...body, isForLists: true });
        counts[body === null ? 'negative' : 'hits'] += 1;
      } else if (entry !== null && stays?.(key(want), entry.body?.version ?? null)) leftOut.add(want.id);
      else if (text !== null && !text.startsWith(LEASE_MARK)) {
        unfit.push(key(want));
        unused.set(want.id, text);
      }
    });
    return unfit;
  };

  /** Leases keys. Where another reader has the lease, it asks Redis once more, and not again. */
  const lease = async (lacking: readonly Want[], unfit: string[], token: string): Promise<Set<string>> => {
    const replies = await redis?.lease(lacking.map(key), unfit, token, trace);
    if (!replies) return new Set();
    const leased = new Set(lacking.filter((_want, i) => replies[i] === null).map((want) => want.id));
    const elsewhere = lacking.filter((want) => !leased.has(want.id));
    counts.leased += elsewhere.length;
    counts.leases += leased.size;
    if (elsewhere.length > 0) {
      await sleep(options.clock, LEASED_WAIT_MS);
      const again = await redis?.read(elsewhere.map(key), trace);
      if (again) take(elsewhere, again);
    }
    return leased;
  };

  const token = `${LEASE_MARK}${randomUUID()}`;
  const held = (await ask()) ?? null;
  const unfit = held === null ? [] : take(wants, held);
  // A body of another version is not lacked: it is to be replaced here, which what a list brings along does not do.
  const lacked = wants.length - found.size - leftOut.size - unfit.length;
  if (wants[0]?.version != null) lacks.told(space.entity, wants.length + known, lacked);
  if (found.size + leftOut.size === wants.length) {
    missed.delete(space.entity);
    return found;
  }
  missed.set(space.entity, (missed.get(space.entity) ?? 0) + 1);
  let leased = new Set(wants.filter((_want, i) => held?.values[i] === token).map(({ id }) => id));
  counts.leases += leased.size;
  if (held !== null) {
    // A body that no process certifies is left in place, since its successor would not be certified either.
    const vouched = (want: Want) =>
      (want.version !== null || held.epoch !== null) && (held.moved.size === 0 || !held.moved.has(key(want)));
    const lacking = left().filter(vouched);
    const replaced = new Set(unfit);
    const unfitLacking = lacking.map(key).filter((name) => replaced.has(name));
    counts.bypassed += left().length - lacking.length;
    counts.stale += unfitLacking.length;
    const unleased = lacking.filter(({ id }) => !leased.has(id));
    if (unleased.length > 0) leased = new Set([...leased, ...(await lease(unleased, unfitLacking, token))]);
  } else if (redis !== null) {
    counts.bypassed += wants.length;
    counts.unreachable += wants.length;
  }
  const rest = left();
  if (rest.length === 0) return found;
  const ids = rest.map((want) => want.id);
  const bodies = await load(ids, trace).catch((error: unknown) => {
    if (leased.size > 0) redis?.release(rest.filter(({ id }) => leased.has(id)).map(key), token);
    throw error;
  });
  counts.misses += rest.length;
  const fills: Fill[] = [];
  for (const want of rest) {
    const body = bodies.get(want.id) ?? null;
    found.set(want.id, body && entityAlone(body));
    const ttlMs = lifetimeMs(body, options.ttlMs);
    if (!leased.has(want.id)) continue;
    const others = keptForOthers(unused.get(want.id), want.id, body?.version, space);
    const value = encodeEntry({ body, epoch: held?.epoch ?? NO_EPOCH }, want.id, space, others);
    fills.push({ key: key(want), value, ttlMs });
  }
  if (redis !== null && fills.length > 0) {
    const stored = await redis.fill(fills, token, trace);
    // Another part of the same request may count meanwhile.
    counts.fills += stored ?? 0;
  }
  return found;
}
