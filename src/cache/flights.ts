import type { Body } from './entry.ts';

/** A body for each id that exists, `null` for each that does not. */
export type Bodies = ReadonlyMap<string, Body | null>;

/** One reading of some keys that others in this process may wait for instead of reading themselves. */
export interface Flight {
  /** What it brings, to be asked for while it is under way. */
  bodies: Promise<Bodies>;
  /** When it began, in milliseconds on the monotonic clock: what it brings may be that old. */
  readonly since: number;
}

/** What a flight brings once it is over and nobody can find it any more. */
const OVER: Promise<Bodies> = Promise.resolve(new Map());

/**
 * The readings under way, each key by one of them at a time. A flight is to the memory tier what a lease is to Redis: an invalidation
 * ends it, and only a flight that is still there when its bodies arrive may put them into memory or be joined.
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

  /** @param key the cache key whose row changed */
  end(key: string): void {
    this.#flights.delete(key);
  }

  /** Ends all of them. */
  clear(): void {
    this.#flights.clear();
  }

  /**
   * Lets a reading be joined until it is over.
   *
   * @param keys the keys that it reads
   * @param flight the reading
   * @param landed told of each key that no invalidation overtook, with its place among the keys and all that was read
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
      // What has been in a map that changes so often may stay until the next full collection (see draining.ts): the flight, but not
      // what it brought.
      flight.bodies = OVER;
    }
  }
}
