import { LRUCache } from 'lru-cache';

/** More statements than the code has. */
const MAX_STATEMENTS = 500;

/** The statements that inspected requests showed. Nothing else may be explained. */
export class RecordedStatements {
  readonly #places = new LRUCache<string, number>({ max: MAX_STATEMENTS });

  /**
   * @param text the statement's SQL
   * @param places how many parameters it takes
   */
  remember(text: string, places: number): void {
    this.#places.set(text, places);
  }

  /**
   * @param text the SQL of a statement, as a client sent it
   * @returns how many parameters it takes; `null` when this process has recorded no such statement
   */
  placesOf(text: string): number | null {
    return this.#places.get(text) ?? null;
  }
}
