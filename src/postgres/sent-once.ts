/**
 * A query's options, as the driver (postgres.js 3.4.9) reads them each time that it sends the query. It sends one again by itself when its
 * plan is outdated, and says so nowhere else.
 */
export class SentOnce {
  readonly simple: boolean;
  readonly #prepare: boolean;
  readonly #onAgain: () => void;
  #sent = false;

  /**
   * @param simple whether it is a command without parameters
   * @param prepare whether it is prepared: planned once for a connection
   * @param onAgain told when it is sent again
   */
  constructor(simple: boolean, prepare: boolean, onAgain: () => void) {
    this.simple = simple;
    this.#prepare = prepare;
    this.#onAgain = onAgain;
  }

  /** Read by the driver each time that it sends the query. */
  get prepare(): boolean {
    if (this.#sent) this.#onAgain();
    this.#sent = true;
    return this.#prepare;
  }
}
