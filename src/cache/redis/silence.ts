import type { Clock } from '../../clock.ts';

/**
 * A connection without an answer for this many time limits is replaced, if anything was asked. A network may be silent, or the stream of
 * answers may have lost one, or be stuck in the middle of one. None of these recovers by itself.
 */
export const SILENT_TIMEOUTS = 10;

/** How long a connection has answered nothing that it was asked. */
export class Silence {
  /** How long it may last, in milliseconds. */
  readonly limitMs: number;
  readonly #clock: Clock;
  /** When the first of the commands was sent that have failed since the last answer; `null` when the last one was answered. */
  #since: number | null = null;

  /**
   * @param clock the time
   * @param timeoutMs how long a round trip may take, in milliseconds
   */
  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.limitMs = SILENT_TIMEOUTS * timeoutMs;
  }

  /** Ends it: there was an answer, or the connection is another one. */
  end(): void {
    this.#since = null;
  }

  /**
   * Notes a command that was not answered.
   *
   * @param asked when it was sent, in milliseconds on the monotonic clock
   * @returns whether the connection has been silent for too long by now
   */
  unanswered(asked: number): boolean {
    this.#since ??= asked;
    return this.#clock.now() - this.#since >= this.limitMs;
  }
}
