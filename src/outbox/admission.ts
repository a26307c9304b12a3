import type { EntityCache } from '../cache/entity-cache.ts';

/** Whether this process uses what Redis holds, and why not. */
export class Admission {
  readonly #cache: Pick<EntityCache, 'admit'>;
  readonly #onRefused: (reason: string | null) => void;
  #refused: string | null = null;

  /**
   * Begins with using nothing, until `admit` is called.
   *
   * @param cache what uses Redis, or does not
   * @param onRefused told once why Redis may not be used, and with `null` when it may again
   */
  constructor(cache: Pick<EntityCache, 'admit'>, onRefused: (reason: string | null) => void) {
    this.#cache = cache;
    this.#onRefused = onRefused;
    cache.admit(false);
  }

  /** Why Redis may not be used; `null` when it may, or when that is not known yet. */
  get refused(): string | null {
    return this.#refused;
  }

  /** Stops using Redis until it is known again whether that is allowed. */
  doubt(): void {
    if (this.#refused === null) this.#cache.admit(false);
  }

  /** Uses Redis from now on. */
  admit(): void {
    this.#cache.admit(true);
    if (this.#refused !== null) this.#onRefused(null);
    this.#refused = null;
  }

  /**
   * Stops using Redis.
   *
   * @param reason why it may not be used
   */
  refuse(reason: string): void {
    if (this.#refused !== reason) {
      this.#cache.admit(false);
      this.#onRefused(reason);
    }
    this.#refused = reason;
  }
}
