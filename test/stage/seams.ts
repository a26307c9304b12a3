import type { Values } from '../../src/cache/redis/dialect.ts';
import type { Fill } from '../../src/cache/redis/lease.ts';
import type { Told } from '../../src/cache/redis/send-invalidation.ts';
import { RedisTier } from '../../src/cache/redis/tier.ts';
import type { Presented, Share } from '../../src/cache/share.ts';
import type { Clock } from '../../src/clock.ts';
import type { Database } from '../../src/postgres/client.ts';
import type { Trace } from '../../src/trace/trace.ts';

/**
 * A place where a race can be widened: everything that a process says to Postgres or Redis passes one before it is sent
 * and one after the answer came. What it returns is waited for.
 *
 * @param place what is about to happen, such as `SELECT` or `SELECT answered`
 */
export type Seam = (place: Place) => Promise<void>;

/** What passes a seam. */
export type Command = 'list' | 'versions' | 'SELECT' | 'write' | 'MGET' | 'lease' | 'fill' | 'UNLINK' | 'beat';

/** Before a command is sent, or after its answer came. */
export type Place = Command | `${Command} answered`;

/** A seam that holds nothing. */
export const open: Seam = async () => {};

/**
 * Lets a command pass a seam on its way and on its way back, also when it failed.
 *
 * @param seam the seam
 * @param command what is sent
 * @param action sends it
 * @returns what `action` returns
 */
export async function across<T>(seam: Seam, command: Command, action: () => Promise<T>): Promise<T> {
  await seam(command);
  try {
    return await action();
  } finally {
    await seam(`${command} answered`);
  }
}

/** The Redis tier with a seam around each command. */
export class SeamedRedisTier extends RedisTier {
  readonly #seam: Seam;

  /**
   * @param url as RedisTier takes it
   * @param prefix as RedisTier takes it
   * @param onError as RedisTier takes it
   * @param seam what each command passes
   * @param clock as RedisTier takes it
   * @param timeoutMs as RedisTier takes it
   */
  constructor(
    url: string,
    prefix: string,
    onError: (error: Error) => void,
    seam: Seam,
    clock: Clock,
    timeoutMs: number,
  ) {
    super(url, prefix, onError, clock, timeoutMs);
    this.#seam = seam;
  }

  override read(keys: string[], trace: Trace): Promise<Values | null> {
    return across(this.#seam, 'MGET', () => super.read(keys, trace));
  }

  override readOrLease(keys: string[], named: boolean[], token: string, trace: Trace): Promise<Values | null> {
    return across(this.#seam, 'MGET', () => super.readOrLease(keys, named, token, trace));
  }

  override lease(keys: string[], stale: string[], token: string, trace: Trace): Promise<(string | null)[] | null> {
    return across(this.#seam, 'lease', () => super.lease(keys, stale, token, trace));
  }

  override fill(fills: Fill[], token: string, trace: Trace): Promise<number | null> {
    return across(this.#seam, 'fill', () => super.fill(fills, token, trace));
  }

  override invalidate(keys: string[], channel: string, message: string, acknowledgers: string): Promise<Told> {
    return across(this.#seam, 'UNLINK', () => super.invalidate(keys, channel, message, acknowledgers));
  }

  override present(share: Share, ms: number): Promise<Presented> {
    return across(this.#seam, 'beat', () => super.present(share, ms));
  }
}

/**
 * A database with a seam around each statement of the repositories and around each of their transactions; the seam after a
 * transaction lies between its commit and what is done about it.
 *
 * @param database the database
 * @param seam what each statement passes
 * @returns the same database, seen through the seam
 */
export function seamedDatabase(database: Database, seam: Seam): Database {
  return {
    ...database,
    query: (...asked) => across(seam, commandOf(asked[0]), () => database.query(...asked)),
    begin: (work) => across(seam, 'write', () => database.begin(work)),
  };
}

function commandOf(text: string): Command {
  if (/(cross|left) join lateral/.test(text)) return 'list';
  return text.includes('as version from') ? 'versions' : 'SELECT';
}

/** Holds what passes a seam, by hand: a race is put together step by step. */
export class Holds {
  readonly #held = new Map<Place, Held[]>();

  /** The seam to pass on. */
  readonly seam: Seam = async (place) => {
    const held = this.#held.get(place)?.shift();
    if (held !== undefined) await held.arrive();
  };

  /**
   * Holds the next that comes to a place.
   *
   * @param place where
   * @returns what is held
   */
  next(place: Place): Held {
    const held = new Held(place);
    this.#held.set(place, [...(this.#held.get(place) ?? []), held]);
    return held;
  }
}

/** Something that is held at a seam, or will be. */
export class Held {
  readonly #place: Place;
  #arrived = () => {};
  #release = () => {};
  readonly #arrival = new Promise<void>((resolve) => {
    this.#arrived = resolve;
  });
  readonly #released = new Promise<void>((resolve) => {
    this.#release = resolve;
  });

  /** @param place where it is held */
  constructor(place: Place) {
    this.#place = place;
  }

  /** Comes to the place and waits there. */
  async arrive(): Promise<void> {
    this.#arrived();
    await this.#released;
  }

  /**
   * Waits until something has come.
   *
   * @throws when nothing comes within three minutes
   */
  async reached(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`Nothing came to ${this.#place} within 180 s`)), 180_000);
    });
    await Promise.race([this.#arrival, late]);
    clearTimeout(timer);
  }

  /** Lets it go on. */
  release(): void {
    this.#release();
  }
}
