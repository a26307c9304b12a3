/**
 * The options of a query. The driver (postgres.js 3.4.9) reads them each time that it sends the query. Only so can Larder notice that the
 * driver sends a query again because its plan is outdated.
 */
export class SentOnce {
  readonly simple: boolean;
  readonly #prepare: boolean;
  readonly #onAgain: () => void;
  #sent = false;

  /**
   * @param simple whether it is a command without parameters
   * @param prepare whether it is prepared, that is planned once for a connection
   * @param onAgain told when it is sent again
   */
  constructor(simple: boolean, prepare: boolean, onAgain: () => void) {
    this.simple = simple;
    this.#prepare = prepare;
    this.#onAgain = onAgain;
  }

  /** The driver reads it each time that it sends the query. */
  get prepare(): boolean {
    if (this.#sent) this.#onAgain();
    this.#sent = true;
    return this.#prepare;
  }
}
