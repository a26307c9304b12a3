import { getTableColumns } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { Columns } from '../cache/columns.ts';
import type { EntityCache } from '../cache/entity-cache.ts';
import type { EntitySpace } from '../cache/entry.ts';
import { type Clock, systemClock } from '../clock.ts';
import { TriggerCheck } from '../outbox/trigger-check.ts';
import { type Catalog, readCatalog } from '../postgres/catalog.ts';
import type { Database } from '../postgres/client.ts';
import { errorOf } from '../reason-of.ts';
import type { EntityDeclaration } from './definition.ts';
import type { EntityKey } from './key.ts';
import { formsOf } from './space.ts';

/** What a catalog watch works on, and how it reports. */
export interface CatalogWatchOptions {
  /** Another connection than that of the requests. The watch must go on when requests have taken the whole pool. */
  readonly database: Database;
  readonly cache: Pick<EntityCache, 'forgetAll'>;
  /** How old an answer may be, in milliseconds. Cached bodies are used for this long when Postgres cannot be asked about the columns. */
  readonly boundMs: number;
  /** Told of errors that kept it from looking, and of columns that do not exist. */
  readonly onError: (error: Error) => void;
  /** Told of entities whose changes no trigger notes. */
  readonly onUnwatched: (error: Error) => void;
  readonly clock?: Clock;
}

/** How long it waits between two looks, in milliseconds. */
const PAUSE_MS = 500;

/** A kind of entity whose shape follows its table. */
interface Watched {
  readonly space: EntitySpace & { shape: string; columns?: Columns };
  readonly table: PgTable;
  readonly key: EntityKey;
  /** Whether triggers note the changes of its rows. */
  readonly isWatched: boolean;
  /** What Postgres said of each column last; `null` before the first answer. */
  said: ReadonlyMap<string, string> | null;
}

/** A kind of entity, as far as the catalog is asked about it. */
type Following = Pick<EntityDeclaration<never>, 'table' | 'key' | 'unwatched'>;

/** What is known of a kind of entity. */
export interface Followed {
  readonly space: EntitySpace;
  /** @returns whether triggers note each change of a row, so that a cached body may answer reads by id */
  isWatched(): boolean;
}

/**
 * Lets a change of a table's definition end what was cached before it. Such a change is a column that is dropped and added again, another
 * type, or a label of an enum. Rows have other values then, though they may keep their versions.
 *
 * Each process asks Postgres about the columns twice a second. The answer is part of the shape of bodies. While Postgres cannot be asked,
 * cached bodies are used for as long as an answer may be old. A change of the triggers changes the answer, too, so they are checked then.
 */
export class CatalogWatch {
  readonly #options: CatalogWatchOptions;
  readonly #clock: Clock;
  readonly #watched: Watched[] = [];
  /** Whether triggers note the changes. */
  readonly triggers: TriggerCheck;
  readonly #readiness: (() => void)[] = [];
  /** When the question was asked that Postgres answered last. Nothing cached is used before the first. */
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
   * @param space the name and the shape of a kind of entity, as far as the code says it
   * @param definition its table and key, and whether it is unwatched
   * @returns the space, whose shape follows the table from the first look on, and whether its changes are noticed
   */
  follow(space: EntitySpace, { table, key, unwatched = false }: Following): Followed {
    const own = { ...space };
    this.#watched.push({ space: own, table, key, isWatched: !unwatched, said: null });
    const names = key.columns.map(({ name }) => name);
    const isWatched = unwatched ? () => false : this.triggers.add({ entity: space.entity, table, key: names });
    return { space: own, isWatched };
  }

  /** @returns whether the columns are known well enough to use cached bodies */
  isCurrent(): boolean {
    return this.#clock.now() - this.#confirmedAt < this.#options.boundMs;
  }

  /** The tables and columns that do not exist; empty when all do. */
  get missing(): string {
    return this.#missing;
  }

  /** Whether a table does not exist, or has none of its columns. Then the database was never migrated. */
  get lacksTable(): boolean {
    return this.#watched.some(({ said }) => said?.size === 0);
  }

  /** Begins to look at the catalog. */
  start(): void {
    this.#done ??= this.#work();
  }

  /**
   * @param ms the longest time to wait, in milliseconds
   * @returns settles when the columns are known, or when that time has passed
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

  /** Stops after the look under way. */
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
        this.#options.onError(errorOf(error));
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
    const read = () => readCatalog(this.#options.database, this.#watched);
    const changed = this.#take(await read());
    // Triggers that have just been made end what was cached before them. They may have come after the catalog was read.
    await this.triggers.ask(askedAt, changed, async () => void this.#take(await read()));
    this.#confirmedAt = askedAt;
    for (const ready of this.#readiness.splice(0)) ready();
  }

  /** Gives each kind of entity the shape that follows from what Postgres said. Returns whether anything is new. */
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
    // A reading that is under way may have begun before the change.
    if (changed) this.#options.cache.forgetAll();
    this.#tell(missing.join(', '));
    return changed;
  }

  /** Reports once what does not exist. Requests that need it fail until it does. */
  #tell(missing: string): void {
    if (missing !== '' && missing !== this.#missing) {
      const advice = 'Migrate the database, or start the version of the server that it was migrated for.';
      this.#options.onError(new Error(`The database lacks columns of ${missing}. ${advice}`));
    }
    this.#missing = missing;
  }
}
