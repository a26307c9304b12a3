import type { Database } from '../postgres/client.ts';
import { errorOf } from '../reason-of.ts';
import { readUnwatched, type Watched } from './unwatched.ts';

/** How often Postgres is asked again although nothing has changed, in milliseconds. */
const AGAIN_MS = 30_000;

/** Knows for which entities changes of rows are noticed: those whose tables have their triggers. */
export class TriggerCheck {
  readonly #database: Database;
  readonly #onUnwatched: (error: Error) => void;
  readonly #entities: { readonly of: Watched; watched: boolean }[] = [];
  #unwatched: readonly string[] = [];
  #askedAt = Number.NEGATIVE_INFINITY;

  /**
   * @param database where the tables are
   * @param onUnwatched told of entities whose changes no trigger notes, and of errors that kept Postgres from saying so
   */
  constructor(database: Database, onUnwatched: (error: Error) => void) {
    this.#database = database;
    this.#onUnwatched = onUnwatched;
  }

  /**
   * @param of an entity whose changes are to be noticed
   * @returns tells whether they are; `false` until it is known
   */
  add(of: Watched): () => boolean {
    const entity = { of, watched: false };
    this.#entities.push(entity);
    return () => entity.watched;
  }

  /** Whether there is an entity whose changes are to be noticed. */
  get hasEntities(): boolean {
    return this.#entities.length > 0;
  }

  /** Why changes are not noticed, and what to do: a line for each such entity. */
  get unwatched(): readonly string[] {
    return this.#unwatched;
  }

  /**
   * Asks Postgres about the triggers, if that is due.
   *
   * @param now the time, in milliseconds on the monotonic clock
   * @param changed whether tables have changed, which makes it due at once
   * @param beforeTrust done before changes are taken for noticed that were not before
   * @throws what `beforeTrust` throws
   */
  async ask(now: number, changed: boolean, beforeTrust: () => Promise<void>): Promise<void> {
    if (!this.hasEntities || !(changed || this.#unwatched.length > 0 || now - this.#askedAt >= AGAIN_MS)) return;
    let reasons: readonly (string | null)[];
    try {
      const asked = this.#entities.map(({ of }) => of);
      reasons = await readUnwatched(this.#database, asked);
    } catch (error) {
      const failure = errorOf(error);
      for (const entity of this.#entities) entity.watched = false;
      this.#unwatched = [`It is not known whether changes are noticed: ${failure.message}`];
      return this.#onUnwatched(failure);
    }
    if (this.#entities.some(({ watched }, i) => !watched && (reasons[i] ?? null) === null)) await beforeTrust();
    const said: string[] = [];
    for (const [i, entity] of this.#entities.entries()) {
      const reason = reasons[i] ?? null;
      entity.watched = reason === null;
      if (reason !== null) said.push(`Changes of ${entity.of.entity} are not noticed: ${reason}.`);
    }
    if (said.length > 0 && said.join() !== this.#unwatched.join()) this.#onUnwatched(new Error(said.join(' ')));
    this.#unwatched = said;
    this.#askedAt = now;
  }
}
