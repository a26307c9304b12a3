/** What was opened and must be closed again, however far one came. */
export class Closers {
  readonly #closers: (() => unknown)[] = [];

  /** @param close closes what has just been opened */
  add(close: () => unknown): void {
    this.#closers.push(close);
  }

  /**
   * Closes everything, what was opened last first: a server before the stores that it answers from. A second call closes nothing.
   *
   * @throws what the first that could not be closed has thrown, after all the others were closed
   */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (const close of this.#closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
