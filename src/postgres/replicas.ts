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

/** Where the replicas are and whom they follow. */
export interface ReplicasOptions extends Omit<DatabaseOptions, 'url'> {
  readonly urls: readonly PostgresSource[];
  readonly clock: Clock;
  /** How far behind a replica may be, in milliseconds. */
  readonly maxLagMs: number;
  /** The primary as requests use it. */
  readonly primary: Database;
  /** The primary by connections that requests do not use: it must say where it is however much is asked of it. */
  readonly beat: Database;
  /** Told when a replica is used no more and why, and with `null` when it is used again. */
  readonly onChange: (name: string, unfit: string | null) => void;
}

/** What a reading needs. */
export interface Needs {
  /** Whether it must be the primary. */
  readonly fromPrimary: boolean;
  /** What it must have seen; `null` for nothing. */
  readonly position: WalPosition | null;
}

/** Why the primary answered what a replica could have. */
export type Instead = 'written' | 'position' | 'unfit' | 'failed';

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

/** How often one looks where the primary is, in milliseconds, unless the lag that is allowed is short. */
const BEAT_MS = { least: 10, most: 250 };

/** How long a reading waits for a replica to see what it must have seen, in milliseconds, and how often one looks meanwhile. */
const WAIT_MS = 100;
const LOOK_MS = 5;

/** More of the log than is written between two looks at the primary. */
const MUCH_LOG = 2 ** 30;

const end = statement<{ position: string }>(
  'Primary.position',
  sql`select pg_current_wal_insert_lsn()::text as position`,
);

/**
 * The streaming replicas of a primary, of which each is used while it is known to be at most so far behind. How far that is, is measured:
 * the primary is asked where its log ends, and when it was asked is remembered; a replica that has come that far has all that was
 * committed before. A replica's own clock and time of its last transaction would tell nothing of a primary that is idle, or cut off.
 */
export class Replicas {
  readonly all: readonly Replica[];
  /** How many readings the primary answered in a replica's place, by why. */
  readonly instead: Record<Instead, number> = { written: 0, position: 0, unfit: 0, failed: 0 };
  readonly #options: ReplicasOptions;
  readonly #positions = new KnownPositions();
  readonly #told = new Map<string, string | null>();
  readonly #lookAt = lookAtWal<{ readonly position: string }>(
    'Primary.look',
    sql`pg_current_wal_insert_lsn()::text as position`,
  );
  #system: string | null = null;
  /** Why it is not known where the primary is; `null` when it is. */
  #fault: string | null = null;
  #round: Promise<void> | null = null;
  #stop = () => {};

  /** @param options where they are */
  constructor(options: ReplicasOptions) {
    this.#options = options;
    const { urls, maxLagMs } = options;
    const common = { ...options, positions: this.#positions, maxLagMs, system: () => this.#system };
    this.all = urls.map((url) => new Replica({ ...common, url }));
  }

  /**
   * Begins to look at them.
   *
   * @param ms how long to wait until something is known of each, in milliseconds
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
   * Chooses where a list is read.
   *
   * @param needs what the reading needs
   * @returns the replica with the least to do of those that will do; `null` for the primary; a promise when a replica is waited for
   */
  choose({ fromPrimary, position }: Needs): Replica | null | Promise<Replica | null> {
    if (fromPrimary) return this.#leave('written');
    if (this.#fit().length === 0) return this.#leave('unfit');
    return this.#seen(position) ?? this.#await(position);
  }

  /**
   * Reads something at a replica.
   *
   * @param replica the replica that was chosen
   * @param action what to read
   * @param trace the request's trace
   * @returns what it returns; `null` when the replica could not answer, so that the primary has to
   * @throws what is no fault of the replica's
   */
  async read<T extends object>(replica: Replica, action: () => Promise<T>, trace: Trace): Promise<T | null> {
    return (await replica.attempt(action, trace)) ?? this.#leave('failed');
  }

  /**
   * Where the log of the primary ends: a replica that has come so far has seen what was committed before.
   *
   * @param trace the request's trace
   * @returns the place; one that is too late rather than too early where the primary does not say
   */
  async position(trace: Trace): Promise<WalPosition> {
    try {
      const [row] = await run(this.#options.primary, end, {}, trace);
      return positionOf(row);
    } catch (error) {
      // What was committed has not failed. Whoever asks with this place is answered by the primary until it is passed.
      this.#fault = reasonOf(error);
      return later(this.#positions.last ?? '0', MUCH_LOG);
    }
  }

  /** @returns what is known of each */
  states(): readonly ReplicaState[] {
    const now = this.#options.clock.now();
    return this.all.map((replica) => ({
      name: replica.name,
      unfit: this.#unfit(replica, now),
      lagMs: Number.isFinite(replica.asOf) ? now - replica.asOf : null,
      statements: replica.statements,
    }));
  }

  /** Ends the looks and the connections. */
  async close(): Promise<void> {
    this.#stop();
    await this.#round;
    await Promise.all(this.all.map((replica) => replica.close()));
  }

  #fit(): readonly Replica[] {
    const now = this.#options.clock.now();
    return this.all.filter((replica) => replica.unfit(now) === null);
  }

  /** The one with the least to do of those that are fit and have come so far. */
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
      // Not waited for: one that hangs must not keep the others from being looked at.
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

  /** Looks at the primary first: a replica keeps up within the time of a round trip, and is then as new as that look. */
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

  /** Tells what has changed. */
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
