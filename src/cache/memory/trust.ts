import { aheadMs, type Clock } from '../../clock.ts';
import { DEAF_MS } from '../bus/acknowledgers.ts';
import type { Echo } from '../bus/messages.ts';

/**
 * What this process knows about the invalidations that it has received. It decides whether a body in memory that no invalidation ended may
 * answer a read by id.
 */
export class Trust {
  readonly #ttlMs: number;
  readonly #clock: Clock;
  /**
   * Since when this process receives every invalidation, and reads from the Redis that they come from. It is infinite while it does not.
   */
  #since: number;
  /** When it last sent a ping on its subscription that was answered. */
  #aliveAt: number;
  /** How far the time of day was ahead of the monotonic clock when it sent that ping, at most, and when the answer came, in milliseconds. */
  #ahead: { readonly pinged: number; readonly answered: number };
  /** Every invalidation published before this time has arrived, in milliseconds on the monotonic clock. */
  #heardUpTo = Number.NEGATIVE_INFINITY;
  /** The run of Redis that the last echo came from. */
  #epoch = '';

  /**
   * @param ttlMs how long a body may answer after it was read, or after the last echo, in milliseconds
   * @param alone whether there are no other processes, so that only the age of a body counts
   * @param clock the time
   */
  constructor(ttlMs: number, alone: boolean, clock: Clock) {
    this.#ttlMs = ttlMs;
    this.#clock = clock;
    this.#since = alone ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    const ahead = alone ? Number.POSITIVE_INFINITY : aheadMs(clock);
    this.#ahead = { pinged: ahead, answered: ahead };
    this.#aliveAt = alone ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  /** @param connected whether this process receives invalidations from now on */
  connected(connected: boolean): void {
    this.#since = connected ? this.#clock.now() : Number.POSITIVE_INFINITY;
  }

  /**
   * Notes that the subscription answers. A process that was stopped, or hangs, does not know for how long. Others that sent it
   * invalidations meanwhile may no longer wait for it (see `Acknowledgers`).
   *
   * @param asOf when it was pinged, in milliseconds on the monotonic clock
   * @param asOfAheadMs how far the time of day was ahead of that clock then (`aheadMs`); left out where only the ping counts
   */
  alive(asOf: number, asOfAheadMs = Number.POSITIVE_INFINITY): void {
    this.#aliveAt = asOf;
    // The machine may have been suspended between the ping and this answer: the answer before knows how it was.
    const ahead = aheadMs(this.#clock);
    this.#ahead = { pinged: Math.min(this.#ahead.answered, ahead, asOfAheadMs), answered: ahead };
  }

  /**
   * Notes that reads use another connection, or another run of Redis, from now on. The one before may have led to another server, which
   * forgot later than this process, or never.
   */
  readsAnew(): void {
    this.#since = Math.max(this.#since, this.#clock.now());
  }

  /**
   * Notes an echo: every invalidation published before it has arrived. Another run of Redis may have lost some, for example one with an old
   * snapshot or a new primary. And bodies may have been read there that its heartbeat would not have certified.
   *
   * @param echo what this process sent itself
   */
  heard({ sent, epoch }: Echo): void {
    if (epoch !== this.#epoch) this.readsAnew();
    this.#epoch = epoch;
    this.#heardUpTo = sent;
  }

  /**
   * @param since when the reading of a body began, in milliseconds on the monotonic clock
   * @returns whether the body may answer a read by id, if no invalidation ended it
   */
  covers(since: number): boolean {
    const monotonic = this.#clock.now();
    // How long the machine was suspended since that ping. A time of day that is set forward looks the same, until it is pinged again.
    const suspendedMs = Math.max(0, aheadMs(this.#clock, monotonic) - this.#ahead.pinged);
    const now = monotonic + suspendedMs;
    return (
      since >= this.#since && now - Math.max(since, this.#heardUpTo) < this.#ttlMs && now - this.#aliveAt < DEAF_MS
    );
  }
}
