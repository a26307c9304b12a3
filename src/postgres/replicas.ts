import { sql } from 'drizzle-orm';
import { type Clock, sleep } from '../clock.ts';
import type { Trace } from '../trace/trace.ts';
import type { Database, DatabaseOptions } from './client.ts';
import { KnownPositions } from './known-positions.ts';
import { lookAtWal } from './look-at-wal.ts';
import { Replica } from './replica.ts';
import { run } from './run.ts';
import type { PostgresSource } from './source.ts';
import { statement } from './statement.ts';
import { endOfLog, later, parsePosition, type WalPosition } from './wal-position.ts';

/** Where the replicas are, and the primary that they follow. */
export interface ReplicasOptions extends Omit<DatabaseOptions, 'url'> {
  readonly urls: readonly PostgresSource[];
  readonly clock: Clock;
  /** How far behind a replica may be, in milliseconds. */
  readonly maxLagMs: number;
  /** The primary as requests use it. */
  readonly primary: Database;
  /** The primary, on connections that requests do not use. It must answer about its log, however busy requests are. */
  readonly beat: Database;
  /** Told when a replica is no longer used, with the reason, and with `null` when it is used again. */
  readonly onChange: (name: string, unfit: string | null) => void;
}

/** Where a reading may happen. */
export interface Needs {
  /** Whether only the primary will do. */
  readonly fromPrimary: boolean;
  /** The position that the replica must have reached; `null` for none. */
  readonly position: WalPosition | null;
}

/** Why the primary was read instead of a replica. */
export type Instead = 'written' | 'position' | 'unfit' | 'failed';

/** What is known of a replica. */
export interface ReplicaState {
  readonly name: string;
  /** Why it is not used; `null` when it is. */
  readonly unfit: string | null;
  /** How far behind it is at most, in milliseconds; `null` when that is not known. */
  readonly lagMs: number | null;
  /** How many statements it was sent. */
  readonly statements: number;
}

/** How often the primary is asked for the end of its log, in milliseconds. A short allowed lag makes it more often. */
const BEAT_MS = { least: 10, most: 250 };

/** How long a reading waits for a replica to reach a position, in milliseconds, and how often the replica is asked meanwhile. */
const WAIT_MS = 100;
const LOOK_MS = 5;

/** More bytes of log than are written between two looks at the primary. */
const MUCH_LOG = 2 ** 30;

const end = statement<{ position: string }>(
  'Primary.position',
  sql`select pg_current_wal_insert_lsn()::text as position`,
);

/**
 * The streaming replicas of a primary. Each is used while it is known to be recent enough. The primary is asked where its log ends, and the
 * time of the question is remembered. A replica that has reached that position has everything that was committed before that time. A
 * replica's own clock, and the time of its last transaction, say nothing about a primary that is idle or cut off.
 */
export class Replicas {
  readonly all: readonly Replica[];
  /** How often the primary was read instead of a replica, by the reason. */
  readonly instead: Record<Instead, number> = { written: 0, position: 0, unfit: 0, failed: 0 };
  readonly #options: ReplicasOptions;
  readonly #positions = new KnownPositions();
  readonly #told = new Map<string, string | null>();
  readonly #lookAt = lookAtWal<{ readonly position: string }>(
    'Primary.look',
    sql`pg_current_wal_insert_lsn()::text as position`,
  );
  #system: string | null = null;
  /** Why the position of the primary is not known; `null` when it is. */
  #fault: string | null = null;
  #round: Promise<void> | null = null;
  #stop = () => {};

  /** @param options where the replicas and the primary are */
  constructor(options: ReplicasOptions) {
    this.#options = options;
    const { urls, maxLagMs } = options;
    const common = { ...options, positions: this.#positions, maxLagMs, system: () => this.#system };
    this.all = urls.map((url) => new Replica({ ...common, url }));
  }

  /**
   * Begins to ask them for their positions.
   *
   * @param ms how long to wait until each has been asked, in milliseconds
   */
  async start(ms: number): Promise<void> {
    const { clock, maxLagMs } = this.#options;
    const beat = () => {
      this.#round ??= this.#look().finally(() => {
        this.#round = null;
      });
    };
    this.#stop = clock.tick(Math.min(BEAT_MS.most, Math.max(BEAT_MS.least, maxLagMs / 4)), () => {
      beat();
      this.#tell();
    });
    beat();
    const known = async () => {
      await this.#round;
      await Promise.all(this.all.map((replica) => replica.look()));
    };
    let stop = () => {};
    const late = new Promise<void>((resolve) => {
      stop = clock.after(ms, resolve);
    });
    await Promise.race([known(), late]);
    stop();
    this.#tell();
  }

  /**
   * Chooses where to read a list.
   *
   * @param needs where the reading may happen
   * @returns the replica with the fewest statements under way, of those that will do; `null` for the primary; a promise while it waits for
   *   a replica
   */
  choose({ fromPrimary, position }: Needs): Replica | null | Promise<Replica | null> {
    if (fromPrimary) return this.#leave('written');
    if (this.#fit().length === 0) return this.#leave('unfit');
    return this.#seen(position) ?? this.#await(position);
  }

  /**
   * Reads something at a replica.
   *
   * @param replica the chosen replica
   * @param action what to read
   * @param trace the request's trace
   * @returns what it returns; `null` when the replica could not answer, so that the primary has to
   * @throws an error that is not the replica's fault
   */
  async read<T extends object>(replica: Replica, action: () => Promise<T>, trace: Trace): Promise<T | null> {
    return (await replica.attempt(action, trace)) ?? this.#leave('failed');
  }

  /**
   * Asks for the end of the primary's log. A replica that has reached it has everything that was committed before.
   *
   * @param trace the request's trace
   * @returns the position; when the primary does not answer, one that is certainly late enough
   */
  async position(trace: Trace): Promise<WalPosition> {
    try {
      const [row] = await run(this.#options.primary, end, {}, trace);
      return positionOf(row);
    } catch (error) {
      // The commit has not failed. The primary answers requests with this position until replicas have reached it.
      this.#fault = reasonOf(error);
      return later(this.#positions.last ?? '0', MUCH_LOG);
    }
  }

  /** @returns what is known of each replica */
  states(): readonly ReplicaState[] {
    const now = this.#options.clock.now();
    return this.all.map((replica) => ({
      name: replica.name,
      unfit: this.#unfit(replica, now),
      lagMs: Number.isFinite(replica.asOf) ? now - replica.asOf : null,
      statements: replica.statements,
    }));
  }

  /** Stops asking, and closes the connections. */
  async close(): Promise<void> {
    this.#stop();
    await this.#round;
    await Promise.all(this.all.map((replica) => replica.close()));
  }

  #fit(): readonly Replica[] {
    const now = this.#options.clock.now();
    return this.all.filter((replica) => replica.unfit(now) === null);
  }

  /** The replica with the fewest statements under way, of those that are used and have reached a position. */
  #seen(position: WalPosition | null): Replica | null {
    let best: Replica | null = null;
    for (const replica of this.#fit()) {
      if (position !== null && replica.replayed < position) continue;
      if (best === null || replica.load < best.load) best = replica;
      else if (replica.load === best.load && replica.statements < best.statements) best = replica;
    }
    return best;
  }

  async #await(position: WalPosition | null): Promise<Replica | null> {
    const { clock, maxLagMs } = this.#options;
    const until = clock.now() + Math.min(WAIT_MS, maxLagMs);
    for (;;) {
      // Not awaited: a replica that hangs must not delay the others.
      for (const replica of this.#fit()) void replica.look();
      await sleep(clock, LOOK_MS);
      const seen = this.#seen(position);
      if (seen !== null) return seen;
      if (clock.now() >= until) return this.#leave('position');
    }
  }

  #leave(why: Instead): null {
    this.instead[why] += 1;
    return null;
  }

  /** Asks the primary first. A replica catches up within a round trip, and is then as new as that question. */
  async #look(): Promise<void> {
    const { beat, clock } = this.#options;
    const at = clock.now();
    try {
      const looked = await this.#lookAt(beat);
      this.#positions.note(at, positionOf(looked));
      this.#system = looked.system;
      this.#fault = null;
    } catch (error) {
      this.#fault = reasonOf(error);
    }
    for (const replica of this.all) void replica.look();
  }

  #unfit(replica: Replica, now: number): string | null {
    const unfit = replica.unfit(now);
    return unfit === null || this.#fault === null
      ? unfit
      : `${unfit}; the primary did not say where it is: ${this.#fault}`;
  }

  /** Reports the replicas whose use has changed. */
  #tell(): void {
    for (const { name, unfit } of this.states()) {
      const told = this.#told.get(name) ?? null;
      if (unfit === told) continue;
      this.#told.set(name, unfit);
      this.#options.onChange(name, unfit);
    }
    const now = this.#options.clock.now();
    for (const replica of this.all) if (replica.unfit(now) !== null) replica.drop();
  }
}

function positionOf(row: { readonly position: string } | undefined): WalPosition {
  const position = parsePosition(row?.position ?? '');
  if (position === null) throw new TypeError('The primary does not say where its log ends.');
  return endOfLog(position);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
