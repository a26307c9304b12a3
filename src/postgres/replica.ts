import { sql } from 'drizzle-orm';
import { reasonOf } from '../reason-of.ts';
import type { Trace } from '../trace/trace.ts';
import { type Database, type DatabaseOptions, openDatabase } from './client.ts';
import { isValueRefused } from './errors.ts';
import type { KnownPositions } from './known-positions.ts';
import { lookAtWal, type OfSystem } from './look-at-wal.ts';
import { replicaTargetOf } from './replica-target.ts';
import { standbyOnly } from './standby.ts';
import { parsePosition, type WalPosition } from './wal-position.ts';

/** What a replica says of itself. */
interface Looked {
  readonly standby: boolean;
  readonly replayed: string | null;
}

/** The primary that a replica must belong to, and how far behind it may be. */
export interface ReplicaOptions extends DatabaseOptions {
  /** The positions of the primary, with their times. */
  readonly positions: KnownPositions;
  /** In milliseconds. */
  readonly maxLagMs: number;
  /** The cluster of the primary; `null` when it is not known. */
  readonly system: () => string | null;
}

/** What is known of a replica. */
export interface ReplicaState {
  readonly name: string;
  /** Why it is not used; `null` when it is. */
  readonly unfit: string | null;
  /** How far behind it is at most, in milliseconds; `null` when nobody knows. */
  readonly lagMs: number | null;
  /** How many statements were sent there. */
  readonly statements: number;
}

/** A reading is given up, since its replica is no longer used. */
class Dropped extends Error {
  override name = 'Dropped';
}

/** A replica, and what is known of it. */
export class Replica {
  /** Its host and port, which are its name in logs and metrics. */
  readonly name: string;
  /** For statements that read. */
  readonly database: Database;
  /** How many statements it was sent. */
  statements = 0;
  /** How often what it had under way was given up. What was read there before may be newer than what it has now. */
  drops = 0;
  readonly #options: ReplicaOptions;
  /** For looks, which must not wait behind requests. */
  readonly #aside: Database;
  readonly #underWay = new Set<() => void>();
  readonly #lookAt = lookAtWal<Looked>(
    'Replica.look',
    sql`pg_is_in_recovery() as standby, pg_last_wal_replay_lsn()::text as replayed`,
  );
  #fault: string | null = 'it has not answered yet';
  #asOf = Number.NEGATIVE_INFINITY;
  #replayed: WalPosition = '';
  #looking: Promise<void> | null = null;
  #closed = false;

  /** @param options where it is, and the primary that it must belong to */
  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.name = replicaTargetOf(options.url)
      .hosts.map((host) => ('path' in host ? host.path : `${host.host}:${host.port}`))
      .join();
    const opened = standbyOnly(openDatabase(options), () => this.#replayed);
    const query: Database['query'] = (...asked) => {
      this.statements += 1;
      return opened.query(...asked);
    };
    this.database = { ...opened, query };
    this.#aside = openDatabase({ ...options, poolSize: 1 });
  }

  /**
   * It has everything that was committed before this time, in milliseconds on the monotonic clock; minus infinity when nothing is known.
   */
  get asOf(): number {
    return this.#asOf;
  }

  /** The position that it has reached. */
  get replayed(): WalPosition {
    return this.#replayed;
  }

  /** How many statements it has under way. */
  get load(): number {
    return this.database.gate.inside + this.database.gate.waiting;
  }

  /**
   * @param now the time, in milliseconds on the monotonic clock
   * @returns why it is not used; `null` when it is
   */
  unfit(now: number): string | null {
    if (this.#fault !== null) return this.#fault;
    const { maxLagMs } = this.#options;
    return now - this.#asOf > maxLagMs ? `it is not known to be at most ${maxLagMs} ms behind` : null;
  }

  /** Asks it for its position, once for all who want to know at the same time. It does not throw: a fault is remembered. */
  look(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /**
   * Reads something at the replica, as long as the replica is used.
   *
   * @param action what to read
   * @param trace the request's trace
   * @returns what it returns; `null` when the replica could not answer, so that the primary has to
   * @throws an error that is not the replica's fault
   */
  async attempt<T extends object>(action: () => Promise<T>, trace: Trace): Promise<T | null> {
    let drop = () => {};
    const dropped = new Promise<never>((_resolve, reject) => {
      drop = () => reject(new Dropped());
    });
    this.#underWay.add(drop);
    try {
      return await Promise.race([action(), dropped]);
    } catch (error) {
      if (trace.abandoned || isValueRefused(error)) throw error;
      void this.look();
      return null;
    } finally {
      this.#underWay.delete(drop);
    }
  }

  /** Gives up the statements under way. */
  drop(): void {
    this.drops += 1;
    for (const drop of [...this.#underWay]) drop();
  }

  /** Closes its connections after the statements under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.database.close(), this.#aside.close()]);
  }

  async #look(): Promise<void> {
    try {
      this.#take(await this.#lookAt(this.#aside));
    } catch (error) {
      this.#refuse(`it does not answer: ${reasonOf(error)}`);
    }
  }

  #take({ standby, replayed, system }: Looked & OfSystem): void {
    const { positions } = this.#options;
    const own = this.#options.system();
    const position = replayed === null ? null : parsePosition(replayed);
    const isOwn = own === null || system === null || system === own;
    if (!isOwn || !standby || position === null) {
      this.#refuse(isOwn ? 'it is no replica, or none any more' : 'it is of another cluster than the primary');
      return;
    }
    // What was known of another server says nothing about this one, nor does what was known of it before it crashed and began again.
    const hasGoneBack = position < this.#replayed;
    const before = this.#fault === null && !hasGoneBack ? this.#asOf : Number.NEGATIVE_INFINITY;
    this.#fault = null;
    this.#replayed = position;
    this.#asOf = positions.asOf(position) ?? before;
    // They were asked of it for what it had before.
    if (hasGoneBack) this.drop();
  }

  #refuse(fault: string): void {
    this.#fault = fault;
    this.#asOf = Number.NEGATIVE_INFINITY;
    this.#replayed = '';
    this.drop();
  }
}
