import type { Clock } from '../../clock.ts';
import { DEAF_MS } from '../bus/acknowledgers.ts';
import type { Echo } from '../bus/messages.ts';

/**
 * What this process knows of the invalidations that it has heard: whether a body in its memory that none of them has ended may
 * answer a read by id.
 */
export class Trust {
  readonly #ttlMs: number;
  readonly #clock: Clock;
  /** When it began to hear of every invalidation, and to read where they come from; infinite while it does not hear. */
  #since: number;
  /** When it last asked its subscription something that was answered. */
  #aliveAt: number;
  /** It has heard of every invalidation that was published before. */
  #heardUpTo = Number.NEGATIVE_INFINITY;
  /** The run of Redis that it last heard from. */
  #epoch = '';

  /**
   * @param ttlMs how long a body may answer after it was read, or after every invalidation is known to have been heard
   * @param alone whether there is nobody to hear from, so that the age of a body is all that counts
   * @param clock the time
   */
  constructor(ttlMs: number, alone: boolean, clock: Clock) {
    this.#ttlMs = ttlMs;
    this.#clock = clock;
    this.#since = alone ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    this.#aliveAt = alone ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  /** @param connected whether it hears of invalidations from now on */
  connected(connected: boolean): void {
    this.#since = connected ? this.#clock.now() : Number.POSITIVE_INFINITY;
  }

  /**
   * Takes note that the subscription answers. A process that was stopped, or hangs, does not know how long that was; those that told it
   * something meanwhile have given it up (see `Acknowledgers`).
   *
   * @param asOf when it was asked, in milliseconds on the monotonic clock
   */
  alive(asOf: number): void {
    this.#aliveAt = asOf;
  }

  /**
   * Takes note that what is read comes by another connection, or of another run of Redis, from now on. The one before may have led
   * elsewhere, where what was read was forgotten later than here, or never.
   */
  readsAnew(): void {
    this.#since = Math.max(this.#since, this.#clock.now());
  }

  /**
   * Takes note that every invalidation was heard which was published before an echo was sent. In another run of Redis, such as one that
   * came back with an old snapshot or as the primary, some may have been lost, and bodies been read that its heartbeat would not have
   * allowed.
   *
   * @param echo what this process had told itself
   */
  heard({ sent, epoch }: Echo): void {
    if (epoch !== this.#epoch) this.readsAnew();
    this.#epoch = epoch;
    this.#heardUpTo = sent;
  }

  /**
   * @param since when the reading of a body began, in milliseconds on the monotonic clock
   * @returns whether it may answer a read by id, if no invalidation ended it
   */
  covers(since: number): boolean {
    const now = this.#clock.now();
    return (
      since >= this.#since && now - Math.max(since, this.#heardUpTo) < this.#ttlMs && now - this.#aliveAt < DEAF_MS
    );
  }
}
