/** Closes what has been opened so far, even when not everything could be opened. */
export class Closers {
  readonly #closers: (() => unknown)[] = [];

  /** @param close closes what has just been opened */
  add(close: () => unknown): void {
    this.#closers.push(close);
  }

  /**
   * Closes everything, the last opened first: a server before the stores that it answers from. A second call closes nothing.
   *
   * @throws the first error of closing, after everything else was closed
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
