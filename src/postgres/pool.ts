import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { Connection } from './connection.ts';
import type { ConnectionOptions } from './driver.ts';
import { ConnectionLost, PlanOutdated } from './errors.ts';

/**
 * When a connection is replaced, in milliseconds: after half an hour to an hour. So a process notices where Postgres has moved to.
 * Connections that were opened at once, here and in other processes, are not replaced at once.
 */
const MAX_AGE_MS = { least: 1_800_000, spread: 1_800_000 };

/** Modulo 1, the multiples of the golden ratio lie far apart, however many there are. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Connections to one Postgres, made when they are needed. */
export class Pool {
  readonly #options: ConnectionOptions;
  readonly #size: number;
  readonly #clock: Clock;
  /** Connections on which any statement may be sent. */
  readonly #shared = new Set<Connection>();
  /** Those of one caller each, and what tells the caller that the connection was given up. */
  readonly #taken = new Map<Connection, () => void>();
  /** Connections that were given back while enough were shared. They are taken before others, so that there never are more than are needed. */
  readonly #spare = new Set<Connection>();
  /** The part of the spread that is added to the last connection's age, from 0 to 1. */
  #part = Math.random();
  /** Connections that existed when a plan was found to be outdated. The next attempt must not meet the same plan there. */
  readonly #outdated = new WeakSet<Connection>();
  /** The mark of prepared statements. A pooler gives a new connection the plans of old ones, unless the texts differ. */
  #mark = '';
  #isEnded = false;

  /**
   * @param options where Postgres is
   * @param size how many connections are shared at most; those that are taken come on top, and as many spare ones as were taken at a time
   * @param clock the time
   */
  constructor(options: ConnectionOptions, size: number, clock: Clock) {
    this.#clock = clock;
    this.#options = options;
    this.#size = size;
  }

  /**
   * @returns the connection with the fewest statements under way
   * @throws {ConnectionLost} when the pool was closed
   */
  share(): Connection {
    this.#checkOpen();
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

  /**
   * @param onLost told once if the connection is given up before it is given back
   * @returns a connection for the caller alone, until it is given back
   * @throws {ConnectionLost} when the pool was closed
   */
  take(onLost: () => void): Connection {
    this.#checkOpen();
    const connection = this.#takeIdle(this.#spare) ?? this.#takeIdle(this.#shared) ?? this.#open();
    this.#taken.set(connection, onLost);
    return connection;
  }

  /** A connection that is ending takes no statement: the driver's error would give it up, with all that is under way there. */
  #checkOpen(): void {
    if (this.#isEnded) throw new ConnectionLost();
  }

  /** Takes an idle connection out of a set, and closes those that are too old on the way; `null` when there is none. */
  #takeIdle(from: Set<Connection>): Connection | null {
    for (const connection of from) {
      if (connection.load > 0) continue;
      from.delete(connection);
      if (this.#clock.now() < connection.dueAt) return connection;
      void connection.end(0);
    }
    return null;
  }

  /** @param connection a connection that was taken, without an open transaction */
  giveBack(connection: Connection): void {
    if (!this.#taken.delete(connection)) return;
    if (this.#outdated.has(connection)) connection.retire();
    else (this.#shared.size < this.#size ? this.#shared : this.#spare).add(connection);
  }

  /**
   * Closes each connection after the statements under way, and opens no other.
   *
   * @param seconds how long that may take
   */
  async end(seconds: number): Promise<void> {
    this.#isEnded = true;
    await Promise.all(this.#all().map((connection) => connection.end(seconds)));
  }

  #all(): Connection[] {
    return [...this.#shared, ...this.#taken.keys(), ...this.#spare];
  }

  /** Retires all connections, each when its statements are done. */
  #renew(): void {
    this.#mark = ` /* ${randomBytes(4).toString('hex')} */`;
    for (const connection of this.#all()) this.#outdated.add(connection);
    const free = [...this.#shared, ...this.#spare];
    this.#shared.clear();
    this.#spare.clear();
    for (const connection of free) connection.retire();
  }

  #open(): Connection {
    const onLost = (lost: Connection, why: ConnectionLost) => {
      this.#shared.delete(lost);
      this.#taken.get(lost)?.();
      this.#taken.delete(lost);
      this.#spare.delete(lost);
      // A connection that came later does not have the outdated plan.
      if (why instanceof PlanOutdated && !this.#outdated.has(lost)) this.#renew();
    };
    this.#part = (this.#part + GOLDEN) % 1;
    const { least, spread } = MAX_AGE_MS;
    return new Connection(this.#options, onLost, this.#clock, least + spread * this.#part, this.#mark);
  }
}
