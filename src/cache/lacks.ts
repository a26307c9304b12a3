/**
 * The weight of the last reading in the expectation for the next. After three readings that found nothing, the expectation is above `MUCH`.
 */
const WEIGHT = 1 / 8;

/** Where caches lack more than this part of the bodies, list statements bring bodies along. */
const MUCH = 0.3;

/** A smaller part counts as nothing. */
const LEAST = 0.001;

/** The part of the bodies that caches lacked recently, of those that lists named, for each kind of entity. Reads by id do not count. */
export class Lacks {
  readonly #shares = new Map<string, number>();

  /**
   * @param entity the kind of entity
   * @param wanted how many bodies were wanted
   * @param lacked how many of them no cache had
   */
  told(entity: string, wanted: number, lacked: number): void {
    const before = this.#shares.get(entity) ?? 0;
    // Most readings find everything, again and again.
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
