import { randomUUID } from 'node:crypto';
import type { Trace } from '../trace/trace.ts';
import { type Body, decodeEntry, type EntitySpace, encodeEntry, LEASE_MARK } from './entry.ts';
import type { MemoryTier } from './memory-tier.ts';
import type { RedisTier } from './redis-tier.ts';

/** An entity to read: with the version a list named, or `null` when nothing but its id is known. */
export interface Want {
  readonly id: string;
  readonly version: string | null;
}

/** Reads rows from the primary: the bodies that exist, by id. */
export type Loader = (ids: string[], trace: Trace) => Promise<Map<string, Body>>;

/** What the cache is made of; either tier may be absent. */
export interface CacheOptions {
  readonly memory: MemoryTier | null;
  readonly redis: RedisTier | null;
  /** Put before every key. */
  readonly prefix: string;
  readonly ttlMs: number;
}

/** How long an entity that does not exist is remembered as such, in milliseconds. */
const NEGATIVE_TTL_MS = 30_000;

/** How long to wait before asking again for a key that another reader is filling, in milliseconds. */
const LEASED_WAIT_MS = 5;

/** One reading of some keys that others in this process may wait for instead of reading themselves. */
type Flight = Promise<Map<string, Body | null>>;

/**
 * Reads entities through memory, Redis and Postgres, in that order. Postgres decides which version counts: a body is
 * used for a ref only when its version is equal.
 *
 * Only a reader who asked Redis for a lease before its SELECT, and still holds it afterwards, may fill: a slow reader
 * cannot put an old body over a newer one (Nishtala et al., Scaling Memcache at Facebook, NSDI 2013, section 3.2.1).
 * Within the process a flight is the same thing for the memory tier.
 */
export class EntityCache {
  readonly #options: CacheOptions;
  readonly #flights = new Map<string, Flight>();

  /** @param options the tiers and how long they keep things */
  constructor(options: CacheOptions) {
    this.#options = options;
  }

  /**
   * @param space the kind of entity
   * @param wants what to read, each id once
   * @param load reads what no tier holds
   * @param trace the request's trace
   * @returns a body for each id that exists, `null` for each that does not
   * @throws what `load` throws
   */
  async read(space: EntitySpace, wants: Want[], load: Loader, trace: Trace): Promise<Map<string, Body | null>> {
    const found = new Map<string, Body | null>();
    const own: Want[] = [];
    const joined = new Map<Flight, Want[]>();
    const counts = trace.entity(space.entity);
    for (const want of wants) {
      const key = this.#key(space, want.id);
      const held = this.#inMemory(key, want);
      if (held !== undefined) {
        found.set(want.id, held);
        counts.memoryHits += 1;
        counts[held === null ? 'negative' : 'hits'] += 1;
        continue;
      }
      const flight = this.#flights.get(key);
      if (flight === undefined) own.push(want);
      else joined.set(flight, [...(joined.get(flight) ?? []), want]);
    }
    const reads: Promise<Map<string, Body | null>>[] = [];
    if (own.length > 0) reads.push(this.#fly(space, own, load, trace));
    for (const [flight, waiting] of joined) reads.push(this.#join(space, flight, waiting, load, trace));
    for (const bodies of await Promise.all(reads)) for (const [id, body] of bodies) found.set(id, body);
    return found;
  }

  /**
   * Forgets bodies after their rows changed: no reading that began before may be joined or may fill.
   *
   * @param space the kind of entity
   * @param ids the changed entities
   * @throws when Redis cannot be told
   */
  async invalidate(space: EntitySpace, ids: string[]): Promise<void> {
    if (ids.length === 0) return;
    const keys = ids.map((id) => this.#key(space, id));
    for (const key of keys) {
      this.#flights.delete(key);
      this.#options.memory?.delete(key);
    }
    await this.#options.redis?.invalidate(keys);
  }

  #key(space: EntitySpace, id: string): string {
    return `${this.#options.prefix}${space.entity}-${id}`;
  }

  #inMemory(key: string, want: Want): Body | null | undefined {
    const { memory } = this.#options;
    return want.version === null ? memory?.young(key) : memory?.ofVersion(key, want.version);
  }

  /** Waits for another reading; a body of another version than the list named may be older, so it is read again. */
  async #join(space: EntitySpace, flight: Flight, wants: Want[], load: Loader, trace: Trace) {
    const bodies = await flight;
    const found = new Map<string, Body | null>();
    const again: Want[] = [];
    for (const want of wants) {
      const body = bodies.get(want.id) ?? null;
      if (want.version !== null && body?.version !== want.version) again.push(want);
      else {
        found.set(want.id, body);
        trace.entity(space.entity)[body === null ? 'negative' : 'hits'] += 1;
      }
    }
    if (again.length > 0) {
      for (const [id, body] of await this.#fetch(space, again, load, trace)) found.set(id, body);
    }
    return found;
  }

  /** Reads, lets others join meanwhile, and keeps in memory what no invalidation overtook. */
  async #fly(space: EntitySpace, wants: Want[], load: Loader, trace: Trace): Flight {
    const readAt = performance.now();
    const keys = wants.map((want) => this.#key(space, want.id));
    const flight = this.#fetch(space, wants, load, trace);
    for (const key of keys) this.#flights.set(key, flight);
    try {
      const bodies = await flight;
      wants.forEach((want, i) => {
        const key = keys[i] as string;
        if (this.#flights.get(key) === flight) this.#options.memory?.set(key, bodies.get(want.id) ?? null, readAt);
      });
      return bodies;
    } finally {
      for (const key of keys) if (this.#flights.get(key) === flight) this.#flights.delete(key);
    }
  }

  /** Redis first, then one SELECT for what it does not hold. */
  async #fetch(space: EntitySpace, wants: Want[], load: Loader, trace: Trace) {
    const found = new Map<string, Body | null>();
    const { redis } = this.#options;
    const values = await redis?.read(
      wants.map((want) => this.#key(space, want.id)),
      trace,
    );
    let missing = wants;
    const stale: string[] = [];
    if (redis && values) {
      missing = this.#take(space, wants, values, found, stale, trace);
    }
    if (missing.length === 0) return found;
    const token = `${LEASE_MARK}${randomUUID()}`;
    const leased = redis && values ? await this.#lease(space, missing, stale, token, found, trace) : new Set<string>();
    const rest = missing.filter((want) => !found.has(want.id));
    if (rest.length === 0) return found;
    const bodies = await load(
      rest.map((want) => want.id),
      trace,
    );
    trace.entity(space.entity).misses += rest.length;
    for (const want of rest) found.set(want.id, bodies.get(want.id) ?? null);
    const fills = rest
      .filter((want) => leased.has(want.id))
      .map((want) => this.#filling(space, want.id, bodies.get(want.id) ?? null));
    if (redis && fills.length > 0) await redis.fill(fills, token, trace);
    return found;
  }

  /** Takes the values that answer their wants; the rest, and the keys of those that are stale, are handed back. */
  #take(
    space: EntitySpace,
    wants: Want[],
    values: (string | null)[],
    found: Map<string, Body | null>,
    stale: string[],
    trace: Trace,
  ): Want[] {
    const counts = trace.entity(space.entity);
    return wants.filter((want, i) => {
      const text = values[i] ?? null;
      const entry = decodeEntry(text, space.shape);
      if (entry !== undefined && (want.version === null || entry?.version === want.version)) {
        found.set(want.id, entry);
        counts[entry === null ? 'negative' : 'hits'] += 1;
        return false;
      }
      if (text !== null && !text.startsWith(LEASE_MARK)) {
        stale.push(this.#key(space, want.id));
        if (entry !== undefined) counts.stale += 1;
      }
      return true;
    });
  }

  /** Leases what is missing. Where another reader has the lease, Redis is asked once more and then left alone. */
  async #lease(
    space: EntitySpace,
    missing: Want[],
    stale: string[],
    token: string,
    found: Map<string, Body | null>,
    trace: Trace,
  ): Promise<Set<string>> {
    const { redis } = this.#options;
    const keys = missing.map((want) => this.#key(space, want.id));
    const replies = await redis?.lease(keys, stale, token, trace);
    if (!replies) return new Set();
    const leased = new Set(missing.filter((_want, i) => replies[i] === null).map((want) => want.id));
    const elsewhere = missing.filter((want) => !leased.has(want.id));
    if (elsewhere.length > 0) {
      await new Promise((resolve) => setTimeout(resolve, LEASED_WAIT_MS));
      const again = await redis?.read(
        elsewhere.map((want) => this.#key(space, want.id)),
        trace,
      );
      if (again) this.#take(space, elsewhere, again, found, [], trace);
    }
    return leased;
  }

  #filling(space: EntitySpace, id: string, body: Body | null) {
    // Bodies filled together must not expire together.
    const ttlMs = Math.round((body === null ? NEGATIVE_TTL_MS : this.#options.ttlMs) * (0.9 + Math.random() * 0.2));
    return { key: this.#key(space, id), value: encodeEntry(body, space.shape), ttlMs };
  }
}
