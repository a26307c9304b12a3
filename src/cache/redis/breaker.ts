import type { Clock } from '../../clock.ts';

/** Failures in a row that open the breaker. */
const THRESHOLD = 3;

/** How long an open breaker answers at once, before it lets one attempt through to see whether Redis is back. */
const OPEN_MS = 500;

/**
 * A circuit breaker: after failures in a row it answers `null` at once instead of waiting for one more time-out, and
 * lets a single attempt through now and then (M. Nygard, Release It!).
 */
export class Breaker {
  readonly #onError: (error: Error) => void;
  readonly #clock: Clock;
  #failures = 0;
  #openUntil = 0;

  /**
   * @param onError told of each failure
   * @param clock the time
   */
  constructor(onError: (error: Error) => void, clock: Clock) {
    this.#onError = onError;
    this.#clock = clock;
  }

  /** Whether attempts are being refused now. */
  get open(): boolean {
    return this.#failures >= THRESHOLD && this.#clock.now() < this.#openUntil;
  }

  /** Whether the last attempts failed: nearly all are refused until one succeeds. */
  get tripped(): boolean {
    return this.#failures >= THRESHOLD;
  }

  /**
   * @param action what to do while the breaker is closed
   * @returns the action's result; `null` when it failed or was not tried
   */
  async attempt<T>(action: () => Promise<T>): Promise<T | null> {
    if (this.open) return null;
    // Half open: this attempt decides, the others do not wait for it.
    if (this.#failures >= THRESHOLD) this.#openUntil = this.#clock.now() + OPEN_MS;
    try {
      const result = await action();
      this.#failures = 0;
      return result;
    } catch (error) {
      this.#failures += 1;
      this.#openUntil = this.#clock.now() + OPEN_MS;
      this.#onError(error instanceof Error ? error : new Error(String(error)));
      return null;
    }
  }
}
