import type { Database } from '../postgres/client.ts';
import { type Heard, readUnheard } from './unheard.ts';

/** How often it is asked anew although nothing says that anything is different, in milliseconds. */
const AGAIN_MS = 30_000;

/** Knows of which entities it is heard when their rows change: those whose tables have their triggers. */
export class Hearing {
  readonly #database: Database;
  readonly #onUnheard: (error: Error) => void;
  readonly #entities: { readonly of: Heard; heard: boolean }[] = [];
  #unheard: readonly string[] = [];
  #askedAt = Number.NEGATIVE_INFINITY;

  /**
   * @param database where the tables are
   * @param onUnheard told of entities whose changes no trigger tells, and of what keeps it from knowing
   */
  constructor(database: Database, onUnheard: (error: Error) => void) {
    this.#database = database;
    this.#onUnheard = onUnheard;
  }

  /**
   * @param of an entity that is to be heard of
   * @returns tells whether it is; until it is known, it is not
   */
  add(of: Heard): () => boolean {
    const entity = { of, heard: false };
    this.#entities.push(entity);
    return () => entity.heard;
  }

  /** Whether some entity is to be heard of. */
  get listens(): boolean {
    return this.#entities.length > 0;
  }

  /** Why changes of entities are not heard of, and what to do: a line for each. */
  get unheard(): readonly string[] {
    return this.#unheard;
  }

  /**
   * Finds out, if that is due.
   *
   * @param now the time, in milliseconds on the monotonic clock
   * @param changed whether tables have changed, so that it is due at once
   */
  async ask(now: number, changed: boolean): Promise<void> {
    if (!this.listens || !(changed || this.#unheard.length > 0 || now - this.#askedAt >= AGAIN_MS)) return;
    let reasons: readonly (string | null)[];
    try {
      const asked = this.#entities.map(({ of }) => of);
      reasons = await readUnheard(this.#database, asked);
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      for (const entity of this.#entities) entity.heard = false;
      this.#unheard = [`It is not known whether changes are heard of: ${failure.message}`];
      return this.#onUnheard(failure);
    }
    const said: string[] = [];
    for (const [i, entity] of this.#entities.entries()) {
      const reason = reasons[i] ?? null;
      entity.heard = reason === null;
      if (reason !== null) said.push(`Changes of ${entity.of.entity} are not heard of: ${reason}.`);
    }
    if (said.length > 0 && said.join() !== this.#unheard.join()) this.#onUnheard(new Error(said.join(' ')));
    this.#unheard = said;
    this.#askedAt = now;
  }
}
