import type { Trace } from '../trace/trace.ts';
import type { Body } from './entry.ts';

/** A body for each id that exists, `null` for each that does not. */
export type Bodies = ReadonlyMap<string, Body | null>;

/** A reading of some keys that others in this process may join instead of reading themselves. */
export interface Flight {
  /** The bodies that it reads; to be asked for only while it is under way. */
  bodies: Promise<Bodies>;
  /** When it began, in milliseconds on the monotonic clock. Its bodies may be that old. */
  readonly since: number;
  /** The trace of the request that reads them. */
  readonly trace: Trace;
}

/** What a flight holds once it is over. */
const OVER: Promise<Bodies> = Promise.resolve(new Map());

/**
 * The readings under way, at most one for each key. A flight is for the memory tier what a lease is for Redis: an invalidation ends it.
 * Only a flight that still exists when its bodies arrive may fill memory or be joined.
 */
export class Flights {
  readonly #flights = new Map<string, Flight>();

  /**
   * @param key a cache key
   * @returns the reading of it that is under way
   */
  of(key: string): Flight | undefined {
    return this.#flights.get(key);
  }

  /**
   * Ends the reading of a key.
   *
   * @param key the cache key whose row changed
   */
  end(key: string): void {
    this.#flights.delete(key);
  }

  /** Ends all readings. */
  clear(): void {
    this.#flights.clear();
  }

  /**
   * Lets others join a reading until it is over.
   *
   * @param keys the keys that it reads
   * @param flight the reading
   * @param landed told of each key that no invalidation ended, with its index among the keys, and all that was read
   * @returns what was read
   * @throws what the reading throws
   */
  async take(
    keys: readonly string[],
    flight: Flight,
    landed: (key: string, i: number, bodies: Bodies) => void,
  ): Promise<Bodies> {
    for (const key of keys) this.#flights.set(key, flight);
    const current = (key: string) => this.#flights.get(key) === flight;
    try {
      const bodies = await flight.bodies;
      keys.forEach((key, i) => {
        if (current(key)) landed(key, i, bodies);
      });
      return bodies;
    } finally {
      for (const key of keys) if (current(key)) this.#flights.delete(key);
      // The former tables of a Map that changes often may stay in memory until the next full collection (see connections.ts). They may hold
      // the flight, but not its bodies.
      flight.bodies = OVER;
    }
  }
}
