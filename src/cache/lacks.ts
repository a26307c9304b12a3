/** How much the last reading counts for what is expected of the next: after three that found nothing, more than `MUCH` is. */
const WEIGHT = 1 / 8;

/** Where caches lack more than this part, lists bring bodies along. */
const MUCH = 0.3;

/** Less than this is nothing. */
const LEAST = 0.001;

/** Which part of what lists named of each kind of entity caches have lacked of late. What is asked for by id says nothing of it. */
export class Lacks {
  readonly #shares = new Map<string, number>();

  /**
   * @param entity the kind of entity
   * @param wanted how many bodies were wanted
   * @param lacked how many of them no cache had
   */
  told(entity: string, wanted: number, lacked: number): void {
    const before = this.#shares.get(entity) ?? 0;
    // Most readings find everything, time and again.
    if (wanted === 0 || (lacked === 0 && before === 0)) return;
    const share = before + (lacked / wanted - before) * WEIGHT;
    this.#shares.set(entity, share < LEAST ? 0 : share);
  }

  /**
   * @param entity a kind of entity
   * @returns whether caches are expected to lack much of what is wanted next
   */
  expected(entity: string): boolean {
    return (this.#shares.get(entity) ?? 0) > MUCH;
  }
}
