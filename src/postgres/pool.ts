import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { Connection } from './connection.ts';
import type { ConnectionOptions } from './driver-options.ts';
import { type ConnectionLost, PlanOutdated } from './errors.ts';

/**
 * A connection is replaced after half an hour to an hour, so that a process notices where Postgres has moved to. Those that were opened
 * together, here and in other processes, are not replaced together.
 */
const MAX_AGE_MS = { least: 1_800_000, spread: 1_800_000 };

/** The multiples of the golden ratio lie far apart, however many there are, when whole numbers are left out. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Connections to one Postgres, made when they are needed. */
export class Pool {
  readonly #options: ConnectionOptions;
  readonly #size: number;
  readonly #clock: Clock;
  /** Those that anybody's statements may be sent on. */
  readonly #shared = new Set<Connection>();
  readonly #taken = new Set<Connection>();
  /** Which part of the spread the last connection may age. */
  #part = Math.random();
  /** Those that were there when plans were found to be outdated: what is tried again must not meet the same plan there. */
  readonly #outdated = new WeakSet<Connection>();
  /** A pooler gives a new connection the plans of the old ones, unless the statements are others. */
  #mark = '';

  /**
   * @param options where
   * @param size how many may be shared; those that are taken come on top
   * @param clock the time
   */
  constructor(options: ConnectionOptions, size: number, clock: Clock) {
    this.#clock = clock;
    this.#options = options;
    this.#size = size;
  }

  /** @returns the connection where a statement waits for the fewest others */
  share(): Connection {
    let best: Connection | undefined;
    for (const connection of this.#shared) if (best === undefined || connection.load < best.load) best = connection;
    if (best?.load === 0 && this.#clock.now() >= best.dueAt) {
      this.#shared.delete(best);
      void best.end(0);
    } else if (best !== undefined && (best.load === 0 || this.#shared.size >= this.#size)) return best;
    const connection = this.#open();
    this.#shared.add(connection);
    return connection;
  }

  /** @returns a connection for nobody but the caller, until it is given back */
  take(): Connection {
    const idle = [...this.#shared].find((connection) => connection.load === 0);
    if (idle !== undefined) this.#shared.delete(idle);
    const connection = idle ?? this.#open();
    this.#taken.add(connection);
    return connection;
  }

  /** @param connection one that was taken and on which no transaction is open */
  giveBack(connection: Connection): void {
    if (!this.#taken.delete(connection)) return;
    if (this.#outdated.has(connection)) connection.retire();
    else this.#shared.add(connection);
  }

  /** Ends each connection after the statements under way, at the latest after so many seconds. */
  async end(seconds: number): Promise<void> {
    await Promise.all([...this.#shared, ...this.#taken].map((connection) => connection.end(seconds)));
  }

  /** Lets all connections go that are there, each when it has done what is under way. */
  #renew(): void {
    this.#mark = ` /* ${randomBytes(4).toString('hex')} */`;
    for (const connection of [...this.#shared, ...this.#taken]) this.#outdated.add(connection);
    const shared = [...this.#shared];
    this.#shared.clear();
    for (const connection of shared) connection.retire();
  }

  #open(): Connection {
    const onLost = (lost: Connection, why: ConnectionLost) => {
      this.#shared.delete(lost);
      this.#taken.delete(lost);
      // Those that came after it may have been told by another.
      if (why instanceof PlanOutdated && !this.#outdated.has(lost)) this.#renew();
    };
    this.#part = (this.#part + GOLDEN) % 1;
    const { least, spread } = MAX_AGE_MS;
    return new Connection(this.#options, onLost, this.#clock, least + spread * this.#part, this.#mark);
  }
}
