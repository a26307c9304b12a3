import { type Clock, sleep } from '../clock.ts';
import type { Trace } from '../trace/trace.ts';
import type { Database, DatabaseOptions } from './client.ts';
import { EndOfLog } from './end-of-log.ts';
import { leastBusy } from './least-busy.ts';
import { Replica, type ReplicaState } from './replica.ts';
import type { PostgresSource } from './source.ts';
import type { WalPosition } from './wal-position.ts';

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

/** How often the primary is asked for the end of its log, in milliseconds. A short allowed lag makes it more often. */
const BEAT_MS = { least: 10, most: 250 };

/** How long a reading waits for a replica to reach a position, in milliseconds, and how often the replica is asked meanwhile. */
const WAIT_MS = 100;
const LOOK_MS = 5;

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
  readonly #log = new EndOfLog();
  readonly #told = new Map<string, string | null>();
  #round: Promise<void> | null = null;
  #closed = false;
  #stop = () => {};

  /** @param options where the replicas and the primary are */
  constructor(options: ReplicasOptions) {
    this.#options = options;
    const { urls, maxLagMs } = options;
    const common = { ...options, positions: this.#log.positions, maxLagMs, system: () => this.#log.system };
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
    const fit = this.#fit();
    if (fit.length === 0) return this.#leave('unfit');
    return leastBusy(fit, position) ?? this.#await(position);
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
  position(trace: Trace): Promise<WalPosition> {
    return this.#log.now(this.#options.primary, trace);
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
    this.#closed = true;
    this.#stop();
    await Promise.all(this.all.map((replica) => replica.close()));
  }

  #fit(): readonly Replica[] {
    const now = this.#options.clock.now();
    return this.all.filter((replica) => replica.unfit(now) === null);
  }

  async #await(position: WalPosition | null): Promise<Replica | null> {
    const { clock, maxLagMs } = this.#options;
    const until = clock.now() + Math.min(WAIT_MS, maxLagMs);
    for (;;) {
      // Not awaited: a replica that hangs must not delay the others.
      for (const replica of this.#fit()) void replica.look();
      await sleep(clock, LOOK_MS);
      const seen = leastBusy(this.#fit(), position);
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
    await this.#log.look(this.#options.beat);
    if (!this.#closed) for (const replica of this.all) void replica.look();
  }

  #unfit(replica: Replica, now: number): string | null {
    const unfit = replica.unfit(now);
    const { fault } = this.#log;
    return unfit === null || fault === null ? unfit : `${unfit}; the primary did not say where it is: ${fault}`;
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
