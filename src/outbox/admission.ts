import type { EntityCache } from '../cache/entity-cache.ts';

/** Whether this process uses what Redis holds, and why not. */
export class Admission {
  readonly #cache: Pick<EntityCache, 'admit'>;
  readonly #onRefused: (reason: string | null) => void;
  #refused: string | null = null;
  /** The token that a copy of the database could have, too; `null` once a later token proved that this is no copy. */
  #doubted: string | null = '';

  /**
   * Begins with using nothing, until a token is accepted.
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

  /** Whether this database could be a copy of the one that Redis belongs to. */
  get isDoubted(): boolean {
    return this.#doubted !== null;
  }

  /** Takes the next accepted token for the proof, whichever it is: no copy has a domain that is new. */
  begin(): void {
    this.#doubted = '';
  }

  /**
   * Stops using Redis until a later token is accepted.
   *
   * @param token the token that a copy of the database could have, too
   */
  doubt(token: string): void {
    this.#doubted = token;
    if (this.#refused === null) this.#cache.admit(false);
  }

  /**
   * Uses Redis from now on, unless a copy of the database could have the token, too.
   *
   * @param token the token that Redis has accepted
   * @returns whether Redis is used
   */
  accept(token: string): boolean {
    if (token === this.#doubted) return false;
    if (this.#doubted === null) return true;
    this.#doubted = null;
    this.#cache.admit(true);
    if (this.#refused !== null) this.#onRefused(null);
    this.#refused = null;
    return true;
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
