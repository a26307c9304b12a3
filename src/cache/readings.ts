import type { Clock } from '../clock.ts';
import type { Trace } from '../trace/trace.ts';
import type { KeyWriter } from './cache-key.ts';
import { type Body, type EntitySpace, entityAlone } from './entry.ts';
import { type Bodies, type Flight, Flights } from './flights.ts';
import { join } from './join.ts';
import { type Lagging, Sightings, withLacking } from './lagging.ts';
import type { Brought } from './later-fills.ts';
import type { MemoryTier } from './memory/tier.ts';
import { TrustedMemory } from './memory/trusted-memory.ts';
import type { Loader, Stays, Want } from './read-through.ts';

/** Who reads what at the moment, and what memory holds of what was read. In this process, a key has one reader at a time. */
export abstract class Readings {
  /** The time of ages and of the beginnings of readings. */
  readonly clock: Clock;
  /** Writes the keys of entities. */
  protected readonly key: KeyWriter;
  readonly #flights = new Flights();
  readonly #sightings = new Sightings();
  readonly #memory: TrustedMemory;
  /** When everything was forgotten last, in milliseconds on the monotonic clock. */
  #forgottenAt = Number.NEGATIVE_INFINITY;

  /**
   * @param memory what is held; `null` where nothing is
   * @param key writes the keys of entities
   * @param ttlMs how long a body answers reads by id, give or take a tenth, in milliseconds
   * @param clock the time
   */
  constructor(memory: MemoryTier | null, key: KeyWriter, ttlMs: number, clock: Clock) {
    this.clock = clock;
    this.key = key;
    this.#memory = new TrustedMemory(memory, this.covers.bind(this), ttlMs, clock);
  }

  /**
   * Whether a body may answer a read by id, as far as is known of invalidations.
   *
   * @param key its key
   * @param since when its reading began, in milliseconds on the monotonic clock
   */
  abstract covers(key: string, since: number): boolean;

  /**
   * Reads past memory: from Redis, as far as it may be used, and from Postgres.
   *
   * @param space the kind of entity
   * @param wants what to read, each id once, at least one
   * @param load reads what Redis does not hold
   * @param trace the request's trace
   * @param stays says which cached bodies stay and are left out; `null` where none does
   * @param known how many that were wanted with these were in memory
   * @returns a body for each id that exists, `null` for each that does not
   * @throws what `load` throws
   */
  abstract readThrough(
    space: EntitySpace,
    wants: readonly Want[],
    load: Loader,
    trace: Trace,
    stays: Stays | null,
    known?: number,
  ): Promise<Map<string, Body | null>>;

  /**
   * Gives what memory answers at once, and counts it. Most reads are answered so, and need none of what a reading of several builds.
   *
   * @param space the kind of entity
   * @param want what to read
   * @param trace the request's trace
   * @returns the body, `null` when there is no such entity; `undefined` when memory does not know
   */
  recall(space: EntitySpace, want: Want, trace: Trace): Body | null | undefined {
    const held = this.#memory.recall(this.key(space, want), want.version);
    if (held === undefined) return undefined;
    const counts = trace.entity(space.entity);
    counts.memoryHits += 1;
    if (held === null) {
      counts.memoryNegatives += 1;
      counts.negative += 1;
    } else counts.hits += 1;
    return held;
  }

  /**
   * @param space the kind of entity
   * @param wants what to read, each id once
   * @param load reads what no tier holds
   * @param trace the request's trace
   * @param lagging where the versions come from, if from a replica
   * @param known how many that were wanted with these memory has answered before
   * @returns a body for each id that exists, `null` for each that does not
   * @throws what `load` throws
   */
  read(
    space: EntitySpace,
    wants: readonly Want[],
    load: Loader,
    trace: Trace,
    lagging?: Lagging,
    known = 0,
  ): Promise<Bodies> {
    if (lagging === undefined) return this.#read(space, wants, load, trace, null, known);
    // Cached bodies that may be newer stay cached. What is read at the replica instead is kept nowhere.
    const stays: Stays = (key, version) => this.#sightings.mayBeNewer(key, version, lagging.asOf, this.clock.now());
    const bodies = this.#read(space, wants, load, trace, stays);
    return bodies.then((read) => withLacking(read, wants, lagging.load, trace, space.entity));
  }

  /** Like `read`, but leaves out entities whose cached bodies stay. */
  async #read(
    space: EntitySpace,
    wants: readonly Want[],
    load: Loader,
    trace: Trace,
    stays: Stays | null,
    known = 0,
  ): Promise<Bodies> {
    const found = new Map<string, Body | null>();
    const own: Want[] = [];
    const underWay = new Map<Flight, Want[]>();
    for (const want of wants) {
      const held = this.recall(space, want, trace);
      if (held !== undefined) {
        found.set(want.id, held);
        continue;
      }
      const key = this.key(space, want);
      const version = stays === null ? undefined : this.#memory.versionOf(key);
      if (version !== undefined && stays?.(key, version)) continue;
      const flight = this.#flights.of(key);
      // A read by id trusts a flight. A list compares the versions when the flight has arrived.
      const waiting = flight && underWay.get(flight);
      if (flight === undefined || (want.version === null && !this.covers(key, flight.since))) own.push(want);
      else if (waiting === undefined) underWay.set(flight, [want]);
      else waiting.push(want);
    }
    if (own.length === 0 && underWay.size === 0) return found;
    if (found.size === 0 && underWay.size === 0) return this.#fly(space, own, load, trace, stays, known);
    const reads = own.length > 0 ? [this.#fly(space, own, load, trace, stays, known + found.size)] : [];
    const remains = (want: Want, version: string | null) => stays?.(this.key(space, want), version) === true;
    const readAgain = (again: readonly Want[]) => this.readThrough(space, again, load, trace, stays);
    const readAnew = (left: readonly Want[]) => this.#read(space, left, load, trace, stays);
    for (const [flight, waiting] of underWay)
      reads.push(join(flight, waiting, space.entity, trace, remains, readAgain, readAnew));
    for (const bodies of await Promise.all(reads)) for (const [id, body] of bodies) found.set(id, body);
    return found;
  }

  /** Keeps in memory what a list brought along, for lists alone. */
  protected remember(space: EntitySpace, brought: readonly Brought[]): void {
    for (const { id, body } of brought) this.#memory.keepForLists(this.key(space, { id }), entityAlone(body));
  }

  /** @param keys the keys whose rows changed: what is held of them is forgotten, and their readings end */
  forget(keys: readonly string[]): void {
    for (const key of keys) {
      this.#flights.end(key);
      this.#memory.forget(key);
    }
  }

  /** Forgets everything that this process holds, and ends its readings. */
  forgetAll(): void {
    this.#forgottenAt = this.clock.now();
    this.#flights.clear();
    this.#memory.clear();
  }

  /**
   * @param since when a list was asked, in milliseconds on the monotonic clock
   * @returns whether everything was forgotten since then: what is read for that list may be older, and is kept for nobody
   */
  hasForgotten(since: number): boolean {
    return since <= this.#forgottenAt;
  }

  /**
   * Reads, lets others join meanwhile, and keeps in memory what no invalidation ended: what Postgres or a certified Redis says now, also of a
   * version that was asked for earlier.
   */
  #fly(
    space: EntitySpace,
    wants: Want[],
    load: Loader,
    trace: Trace,
    stays: Stays | null,
    known: number,
  ): Promise<Bodies> {
    const since = this.clock.now();
    const bodies = this.readThrough(space, wants, load, trace, stays, known);
    const keys = wants.map((want) => this.key(space, want));
    return this.#flights.take(keys, { bodies, since, trace }, (key, i, found) => {
      const body = found.get((wants[i] as Want).id);
      if (body?.isForLists === true) this.#memory.keepForLists(key, body);
      else if (body !== undefined) this.#memory.keep(key, body, since);
    });
  }
}
