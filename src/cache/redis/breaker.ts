import type { Clock } from '../../clock.ts';
import { errorOf } from '../../reason-of.ts';

/** Failures in a row that open the breaker. */
const THRESHOLD = 3;

/** How long an open breaker refuses, in milliseconds, before it lets one attempt through to see whether Redis is back. */
const OPEN_MS = 500;

/** How long nobody has asked, in milliseconds, when something else may close the breaker. */
const UNASKED_MS = 10_000;

/**
 * A circuit breaker (M. Nygard, Release It!). After failures in a row it answers `null` at once, instead of waiting for another time-out.
 * Now and then it lets a single attempt through.
 */
export class Breaker {
  readonly #onError: (error: Error) => void;
  readonly #clock: Clock;
  #failures = 0;
  #openUntil = 0;
  #askedAt = 0;

  /**
   * @param onError told of each failure
   * @param clock the time
   */
  constructor(onError: (error: Error) => void, clock: Clock) {
    this.#onError = onError;
    this.#clock = clock;
  }

  /** Whether attempts are refused now. */
  get open(): boolean {
    return this.#failures >= THRESHOLD && this.#clock.now() < this.#openUntil;
  }

  /** Whether the last attempts failed, so that nearly all are refused until one succeeds. */
  get tripped(): boolean {
    return this.#failures >= THRESHOLD;
  }

  /**
   * Notes that something else was answered. That closes a breaker which nobody has asked for a while, since no attempt would. Where some do
   * ask, only an attempt closes it: what fails the one may be fine for the other.
   */
  answered(): void {
    if (this.tripped && this.#clock.now() - this.#askedAt >= UNASKED_MS) this.#failures = 0;
  }

  /**
   * @param action runs while the breaker is closed
   * @returns the action's result; `null` when it failed or did not run
   */
  async attempt<T>(action: () => Promise<T>): Promise<T | null> {
    this.#askedAt = this.#clock.now();
    if (this.open) return null;
    // Half open: this attempt decides, and the others do not wait for it.
    if (this.#failures >= THRESHOLD) this.#openUntil = this.#clock.now() + OPEN_MS;
    try {
      const result = await action();
      this.#failures = 0;
      return result;
    } catch (error) {
      this.#failures += 1;
      this.#openUntil = this.#clock.now() + OPEN_MS;
      this.#onError(errorOf(error));
      return null;
    }
  }
}
