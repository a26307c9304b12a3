import type { EntityCache } from '../cache/entity-cache.ts';
import type { Database } from '../db/client.ts';
import { drainOutbox, type OutboxStatus, outboxStatus } from '../db/outbox.ts';

/** What a drainer works on, and how it reports. */
export interface DrainerOptions {
  /** A connection of its own: when requests have taken the pool, the heartbeat must not stop. */
  readonly database: Database;
  readonly cache: EntityCache;
  /** How old an answer may be, less what memory may add to it, in milliseconds. */
  readonly boundMs: number;
  readonly onError: (error: Error) => void;
}

/** A drainer at work. */
export interface Drainer {
  /** What waited when it last looked, and when that was on the monotonic clock; `null` until it has. */
  status(): (OutboxStatus & { readonly lookedAt: number }) | null;
  /** Ends after the round under way. */
  stop(): Promise<void>;
}

/** Changes taken in one transaction. */
const BATCH = 2000;

/** Pause of an idle drainer: four rounds a second. */
const IDLE_MS = 250;

/**
 * Starts to drop the cached bodies of changed rows, as long as the process lives. A round looks what waits, drains until
 * nothing does or the heartbeat is due, and vouches for what is cached: no change older than the oldest that waits is
 * unhandled, so bodies may serve reads by id for the bound less that age. Redis counts that time down, so no clocks are
 * compared.
 *
 * @param options what to work on
 * @returns the running drainer, whose first round has begun
 */
export function startDrainer(options: DrainerOptions): Drainer {
  const { database, cache, boundMs, onError } = options;
  const { clock } = cache;
  let status: ReturnType<Drainer['status']> = null;
  let stopped = false;
  let wake = () => {};

  const drain = async () => {
    const until = clock.now() + IDLE_MS;
    let taken: number;
    do {
      taken = await drainOutbox(database, BATCH, (changes) => cache.invalidate(changes, false));
    } while (taken > 0 && !stopped && clock.now() < until);
  };

  const look = async () => {
    const lookedAt = clock.now();
    status = { ...(await outboxStatus(database)), lookedAt };
    return status;
  };

  const vouch = async ({ ageMs, lookedAt }: OutboxStatus & { lookedAt: number }) => {
    const left = boundMs - ageMs - (clock.now() - lookedAt);
    if (left >= 1) await cache.vouch(Math.floor(left), lookedAt);
  };

  /**
   * An idle round is one statement, one script of Redis and one message. What waits is handled before the heartbeat: a Redis that is
   * full refuses the one, and the other makes room.
   */
  const round = async () => {
    let seen = await look();
    const busy = seen.depth > 0;
    if (busy) {
      await drain();
      seen = await look();
    }
    await vouch(seen);
    return busy;
  };

  const work = async () => {
    let failures = 0;
    while (!stopped) {
      try {
        const busy = await round();
        failures = 0;
        if (!busy) await pause(IDLE_MS);
      } catch (error) {
        failures += 1;
        onError(error instanceof Error ? error : new Error(String(error)));
        await pause(Math.min(IDLE_MS * failures, 1000));
      }
    }
  };

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const end = clock.after(ms, resolve);
      wake = () => {
        end();
        resolve();
      };
      if (stopped) wake();
    });

  const done = work();
  return {
    status: () => status,
    stop: async () => {
      stopped = true;
      wake();
      await done;
    },
  };
}
