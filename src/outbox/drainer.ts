import type { EntityCache } from '../cache/entity-cache.ts';
import type { RedisTier } from '../cache/redis/tier.ts';
import type { Database } from '../postgres/client.ts';
import { errorOf } from '../reason-of.ts';
import { CLEANER, cleanOutbox } from './clean-outbox.ts';
import { type Domain, lookAtDomain } from './domains.ts';
import type { Drainer, OutboxStatus } from './drainer-face.ts';
import { endStuck, STUCK_MS } from './end-stuck.ts';
import { Membership, type Standing } from './membership.ts';
import { drainOutbox } from './outbox.ts';

/** What a drainer works on, and how it reports. */
export interface DrainerOptions {
  /** A connection of its own. The heartbeat must go on when requests have taken the whole pool. */
  readonly database: Database;
  readonly cache: EntityCache;
  /**
   * The Redis that this process shares with the others of its cache domain. Without Redis, the drainer reads no changes, and removes only
   * those that nobody needs.
   */
  readonly redis: RedisTier | null;
  /** How old an answer may be, less what memory may add to it, in milliseconds. */
  readonly boundMs: number;
  /** How long the outbox keeps changes for other domains, in milliseconds. */
  readonly retireMs?: number;
  readonly onError: (error: Error) => void;
  /** Told once why this process may not use what Redis holds, and with `null` when it may again. */
  readonly onRefused: (reason: string | null) => void;
}

/** Changes read in one transaction. */
const BATCH = 2000;

/** The pause of an idle drainer, in milliseconds: four rounds a second. */
const IDLE_MS = 250;

/** How often changes that all domains have read are removed while nothing is read, in milliseconds. */
const CLEAN_MS = 10_000;

/**
 * How long the outbox keeps changes for a domain that does not read, in milliseconds. Such a domain begins anew soon, since no process
 * certifies its bodies any more.
 */
const RETIRE_MS = 60_000;

/**
 * Starts to invalidate the cached bodies of changed rows, until it is stopped. A round looks at what waits for the domain. It drains until
 * nothing waits or the heartbeat is due, and then certifies what is cached.
 *
 * Every change that was committed before the last reading began is invalidated by then. So bodies may answer reads by id for the bound,
 * less the age of that reading. Postgres says how old it is, and Redis counts down the rest, so no two clocks are compared.
 *
 * @param options what to work on
 * @returns the running drainer, whose first round has begun
 */
export function startDrainer(options: DrainerOptions): Drainer {
  const { database, cache, redis, boundMs, onError, retireMs = RETIRE_MS } = options;
  const { clock } = cache;
  let status: OutboxStatus | null = null;
  let cleanedAt = Number.NEGATIVE_INFINITY;
  /** The generations in which memory was filled: of the domain, and of the cleaner, at which who has no domain looks. */
  const known = { domain: '', cleaner: '' };
  /** When nothing waited last, and the domain's generation at that time. */
  let clear = { at: Number.NEGATIVE_INFINITY, generation: '' };
  /** Since when another process has held the domain each time; `null` when none did the last time. */
  let heldSince: number | null = null;
  let problem: Error | null = null;
  let stopped = false;
  let wake = () => {};

  const until = (ms: number) => {
    const end = clock.now() + ms;
    return () => !stopped && clock.now() < end;
  };

  /** Returns how many changes were read. */
  const drain = async (domain: Domain): Promise<number> => {
    const goesOn = until(IDLE_MS);
    let read = 0;
    for (let more = true; more && goesOn(); ) {
      const taken = await drainOutbox(database, domain, BATCH, (changes) => cache.tell(changes, domain.run));
      read += taken.changes ?? 0;
      more = taken.more;
      heldSince = taken.changes === null ? (heldSince ?? clock.now()) : null;
    }
    if (heldSince !== null && clock.now() - heldSince >= STUCK_MS) {
      heldSince = null;
      if ((await endStuck(database)) > 0)
        onError(new Error('A process stood still while it drained. Its connection was ended.'));
    }
    return read;
  };

  /** Drops what was filled in another generation. A new one may mean that all processes are told to forget (see src/cli/forget.ts). */
  const forget = ({ id, generation }: Domain) => {
    const whose = id === CLEANER ? 'cleaner' : 'domain';
    if (known[whose] !== '' && known[whose] !== generation) cache.forgetAll();
    known[whose] = generation;
  };

  const clean = async () => {
    const goesOn = until(IDLE_MS);
    let more = true;
    while (more && goesOn()) more = (await cleanOutbox(database, retireMs)).more;
    cleanedAt = more ? Number.NEGATIVE_INFINITY : clock.now();
  };

  /** The time on the monotonic clock, in milliseconds, before which every change has been invalidated. */
  const toldAsOf = ({ domain, lookedAt }: Standing): number => {
    const { generation, depth, reading, behindMs } = domain;
    if (clear.generation !== generation) {
      clear = { at: Number.NEGATIVE_INFINITY, generation };
      // The previous generation's changes are kept for nobody now.
      cleanedAt = Number.NEGATIVE_INFINITY;
    }
    if (depth === 0 && !reading) clear.at = lookedAt;
    return Math.max(clear.at, lookedAt - behindMs);
  };

  const onLook = (seen: Domain | null, waits: boolean, lookedAt: number) => {
    if (seen !== null) forget(seen);
    const domain = waits ? seen : null;
    const ageMs = domain === null ? 0 : Math.min(domain.ageMs, lookedAt - toldAsOf({ domain, lookedAt }));
    status = { depth: domain?.depth ?? 0, ageMs, lookedAt };
  };
  const membership = redis === null ? null : new Membership({ ...options, redis, onLook });

  /**
   * An idle round is one statement, one script in Redis and one message. The drain comes before the heartbeat: a full Redis refuses the
   * heartbeat, and the drain makes room.
   */
  const round = async (member: Membership): Promise<boolean> => {
    let standing = await member.stand();
    if (standing === null) return false;
    const { depth, reading } = standing.domain;
    let read = 0;
    if (depth > 0 || reading) {
      read = await drain(standing.domain);
      if (read > 0) await clean();
      standing = await member.stand();
      if (standing === null) return false;
    }
    await member.turn(standing.domain);
    const asOf = toldAsOf(standing);
    const left = boundMs - (clock.now() - asOf);
    await member.present(standing.domain, left >= 1 ? Math.floor(left) : 0, asOf);
    return read > 0;
  };

  /** A process without Redis invalidates nothing. It may be the only process, so it removes changes that no domain reads. */
  const roundAlone = async () => {
    const lookedAt = clock.now();
    const cleaner = await lookAtDomain(database, CLEANER);
    onLook(cleaner, false, lookedAt);
    if (cleaner !== null && (cleaner.depth > 0 || cleaner.reading)) await clean();
  };

  const work = async () => {
    let failures = 0;
    while (!stopped) {
      let busy = false;
      try {
        if (clock.now() - cleanedAt >= CLEAN_MS) await clean();
        if (membership === null) await roundAlone();
        else busy = await round(membership);
        failures = 0;
        problem = null;
      } catch (error) {
        failures += 1;
        problem = errorOf(error);
        onError(problem);
      }
      if (!busy) await pause(Math.min(IDLE_MS * Math.max(1, failures), 1000));
    }
  };

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const cancel = clock.after(ms, resolve);
      wake = () => {
        cancel();
        resolve();
      };
      if (stopped) wake();
    });

  const done = work();
  return {
    status: () => status,
    refused: () => membership?.refused ?? null,
    problem: () => problem,
    stop: async () => {
      stopped = true;
      wake();
      await done;
    },
  };
}
