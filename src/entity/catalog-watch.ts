import { getTableColumns } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { Columns } from '../cache/columns.ts';
import type { EntityCache } from '../cache/entity-cache.ts';
import type { EntitySpace } from '../cache/entry.ts';
import { type Clock, systemClock } from '../clock.ts';
import { TriggerCheck } from '../outbox/trigger-check.ts';
import { type Catalog, readCatalog } from '../postgres/catalog.ts';
import type { Database } from '../postgres/client.ts';
import type { EntityDeclaration } from './definition.ts';
import type { EntityKey } from './key.ts';
import { formsOf } from './space.ts';

/** What a catalog watch works on, and how it reports. */
export interface CatalogWatchOptions {
  /** Not that of the requests: when they have taken all places, the watch must not stop. */
  readonly database: Database;
  readonly cache: Pick<EntityCache, 'forgetAll'>;
  /** How old an answer may be, in milliseconds: so long cached bodies are used without word of what the columns are. */
  readonly boundMs: number;
  /** Told of what keeps it from looking, and of columns that are not there. */
  readonly onError: (error: Error) => void;
  /** Told of entities whose changes no trigger tells. */
  readonly onUnwatched: (error: Error) => void;
  readonly clock?: Clock;
}

/** How often Postgres is asked. */
const PAUSE_MS = 500;

/** A kind of entity whose shape follows its table. */
interface Watched {
  readonly space: EntitySpace & { shape: string; columns?: Columns };
  readonly table: PgTable;
  readonly key: EntityKey;
  /** What Postgres said last. */
  said: ReadonlyMap<string, string> | null;
}

/** A kind of entity, as far as the catalog is asked about it. */
type Following = Pick<EntityDeclaration<never>, 'table' | 'key' | 'unwatched'>;

/** What is known of a kind of entity. */
export interface Followed {
  readonly space: EntitySpace;
  /** Whether a change of a row is told by its triggers, so that a cached body may answer reads by id. */
  isWatched(): boolean;
}

/**
 * Sees to it that a change of the tables ends what was cached before it. A column that is dropped and added again, another type, a label
 * of an enum: rows have other values then, and may have the versions that they had. Twice a second each process asks Postgres what it says
 * of the columns, and what it says is part of the shape of bodies; while it cannot be asked, cached bodies are used for as long as an
 * answer may be old, and not longer. What it says changes with the triggers that tell of changes, too: whether they are there is asked then.
 */
export class CatalogWatch {
  readonly #options: CatalogWatchOptions;
  readonly #clock: Clock;
  readonly #watched: Watched[] = [];
  /** Whether triggers tell of changes. */
  readonly triggers: TriggerCheck;
  readonly #readiness: (() => void)[] = [];
  /** When Postgres was asked last that has answered; what is cached is not used before. */
  #confirmedAt = Number.NEGATIVE_INFINITY;
  #stopped = false;
  #missing = '';
  #done: Promise<void> | null = null;
  #wake = () => {};

  /** @param options what to work on */
  constructor(options: CatalogWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.triggers = new TriggerCheck(options.database, options.onUnwatched);
  }

  /**
   * @param space how a kind of entity is named and shaped, as far as the code says it
   * @param definition its table and key, and whether nothing tells of its changes
   * @returns the same, with a shape that follows the table from the first look on, and whether its changes are heard of
   */
  follow(space: EntitySpace, { table, key, unwatched = false }: Following): Followed {
    const own = { ...space };
    this.#watched.push({ space: own, table, key, said: null });
    const names = key.columns.map(({ name }) => name);
    const isWatched = unwatched ? () => false : this.triggers.add({ entity: space.entity, table, key: names });
    return { space: own, isWatched };
  }

  /** @returns whether it is known well enough what the columns are, so that cached bodies may be used */
  isCurrent(): boolean {
    return this.#clock.now() - this.#confirmedAt < this.#options.boundMs;
  }

  /** What of the tables is not there; empty when all is. */
  get missing(): string {
    return this.#missing;
  }

  /** Whether some table is not there at all, or none of its columns: then the database was never migrated. */
  get lacksTable(): boolean {
    return this.#watched.some(({ said }) => said?.size === 0);
  }

  /** Begins to look. */
  start(): void {
    this.#done ??= this.#work();
  }

  /**
   * @param ms how long to wait at most, in milliseconds
   * @returns settles when the columns are known, or that time has passed
   */
  known(ms: number): Promise<void> {
    if (this.isCurrent()) return Promise.resolve();
    return new Promise((resolve) => {
      const end = this.#clock.after(ms, resolve);
      this.#readiness.push(() => {
        end();
        resolve();
      });
    });
  }

  /** Ends after the look under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#done;
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#look();
      } catch (error) {
        this.#options.onError(error instanceof Error ? error : new Error(String(error)));
      }
      if (!this.#stopped) await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const end = this.#clock.after(PAUSE_MS, resolve);
      this.#wake = () => {
        end();
        resolve();
      };
    });
  }

  async #look(): Promise<void> {
    const askedAt = this.#clock.now();
    const catalog = await readCatalog(
      this.#options.database,
      this.#watched.map(({ table }) => table),
    );
    const changed = this.#take(catalog);
    await this.triggers.ask(askedAt, changed);
    this.#confirmedAt = askedAt;
    for (const ready of this.#readiness.splice(0)) ready();
  }

  /** Gives the kinds of entities the shapes that follow from what Postgres said; returns whether that is something new. */
  #take(catalog: Catalog): boolean {
    const missing: string[] = [];
    let changed = false;
    for (const [i, watched] of this.#watched.entries()) {
      const said = catalog[i] ?? new Map<string, string>();
      const { space, table, key } = watched;
      const columns = Object.entries(getTableColumns(table));
      for (const [field, { name }] of columns) if (!said.has(name)) missing.push(`${space.entity}.${field} (${name})`);
      if (watched.said !== null && columns.every(([, { name }]) => watched.said?.get(name) === said.get(name)))
        continue;
      watched.said = said;
      space.columns = new Columns(formsOf(table, key, said));
      if (space.shape !== space.columns.shape) changed = true;
      space.shape = space.columns.shape;
    }
    // What is being read now may have been read before the change.
    if (changed) this.#options.cache.forgetAll();
    this.#tell(missing.join(', '));
    return changed;
  }

  /** Says once what is not there: until it is, what wants it fails. */
  #tell(missing: string): void {
    if (missing !== '' && missing !== this.#missing) {
      const advice = 'Migrate the database, or start the version of the server that it was migrated for.';
      this.#options.onError(new Error(`The database lacks columns of ${missing}. ${advice}`));
    }
    this.#missing = missing;
  }
}
