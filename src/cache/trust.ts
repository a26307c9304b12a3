/**
 * What this process knows of the invalidations that it has heard: whether a body in its memory that none of them has ended may
 * answer a read by id.
 */
export class Trust {
  readonly #ttlMs: number;
  /** When it began to hear of every invalidation, and to read where they come from; infinite while it does not hear. */
  #since: number;
  /** It has heard of every invalidation that was published before. */
  #heardUpTo = Number.NEGATIVE_INFINITY;

  /**
   * @param ttlMs how long a body may answer after it was read, or after every invalidation is known to have been heard
   * @param alone whether there is nobody to hear from, so that the age of a body is all that counts
   */
  constructor(ttlMs: number, alone: boolean) {
    this.#ttlMs = ttlMs;
    this.#since = alone ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }

  /** @param connected whether it hears of invalidations from now on */
  connected(connected: boolean): void {
    this.#since = connected ? performance.now() : Number.POSITIVE_INFINITY;
  }

  /**
   * Takes note that what is read comes by another connection from now on. The one before may have led elsewhere, where what was read
   * was forgotten later than here, or never.
   */
  readsAnew(): void {
    this.#since = Math.max(this.#since, performance.now());
  }

  /** @param upTo every invalidation was heard that was published before, in milliseconds on the monotonic clock */
  heard(upTo: number): void {
    this.#heardUpTo = upTo;
  }

  /**
   * @param since when the reading of a body began, in milliseconds on the monotonic clock
   * @returns whether it may answer a read by id, if no invalidation ended it
   */
  covers(since: number): boolean {
    return since >= this.#since && performance.now() - Math.max(since, this.#heardUpTo) < this.#ttlMs;
  }
}
