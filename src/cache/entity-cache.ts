import type { Clock } from '../clock.ts';
import { type Channels, UNOBSERVED } from '../trace/channels.ts';
import type { Trace } from '../trace/trace.ts';
import type { InvalidationBus } from './bus/invalidation-bus.ts';
import type { Echo } from './bus/messages.ts';
import { cacheKey, type KeyWriter, keyWriter } from './cache-key.ts';
import { type Body, type EntitySpace, entityAlone } from './entry.ts';
import { type Bodies, type Flight, Flights } from './flights.ts';
import { Lacks } from './lacks.ts';
import { type Lagging, Sightings, withLacking } from './lagging.ts';
import { type Brought, LaterFills } from './later-fills.ts';
import type { PageMemory } from './memory/page-memory.ts';
import type { MemoryTier } from './memory/tier.ts';
import { Trust } from './memory/trust.ts';
import { TrustedMemory } from './memory/trusted-memory.ts';
import { type Loader, type ReadThroughOptions, readThrough, type Stays, type Want } from './read-through.ts';
import type { Told } from './redis/send-invalidation.ts';
import type { Presented, Share } from './share.ts';

/** The parts of the cache; either tier may be absent. */
export interface CacheOptions extends Omit<ReadThroughOptions, 'missed' | 'lacks'> {
  readonly memory: MemoryTier | null;
  /** Like `memory`, for whole pages. */
  readonly pages: PageMemory | null;
  /** Reaches the memory of other processes; `null` without Redis. */
  readonly bus: InvalidationBus | null;
  /**
   * How long a body in memory may answer reads by id after it was read, or after the last echo, in milliseconds. No invalidation takes
   * longer to arrive.
   */
  readonly memoryTtlMs: number;
  /** Where invalidations are reported; nowhere when it is left out. */
  readonly channels?: Channels;
}

const NONE: ReadonlySet<string> = new Set();

/** Reads entities through memory, Redis and Postgres, in that order. In this process, a key has one reader at a time. */
export class EntityCache {
  /** What memory holds of whole pages. Its pages need no invalidation, because a list has just named their versions. */
  readonly pages: PageMemory | null;
  /** The time of ages and of the beginnings of readings. */
  readonly clock: Clock;
  readonly #options: CacheOptions & ReadThroughOptions;
  readonly #flights = new Flights();
  readonly #sightings = new Sightings();
  readonly #lacks = new Lacks();
  readonly #laterFills: LaterFills | null;
  readonly #trust: Trust;
  readonly #memory: TrustedMemory;
  readonly #key: KeyWriter;
  #admitted = true;

  /** @param options the tiers, and how long they keep entries */
  constructor(options: CacheOptions) {
    this.pages = options.pages;
    this.clock = options.clock;
    this.#options = { ...options, missed: new Map(), lacks: this.#lacks };
    this.#key = keyWriter(options.prefix);
    this.#laterFills =
      options.redis && new LaterFills(options.redis, this.#key, options.ttlMs, this.#lacks, () => this.#admitted);
    this.#trust = new Trust(options.memoryTtlMs, options.bus === null, options.clock);
    this.#memory = new TrustedMemory(options.memory, this.covers.bind(this), options.ttlMs, options.clock);
    options.redis?.onReady(() => this.#trust.readsAnew());
  }

  /**
   * Gives what memory answers at once, and counts it. Most reads are answered so. Asking one by one needs none of the structures that a
   * reading of several entities builds.
   *
   * @param space the kind of entity
   * @param want what to read
   * @param trace the request's trace
   * @returns the body, `null` when there is no such entity; `undefined` when memory does not know
   */
  recall(space: EntitySpace, want: Want, trace: Trace): Body | null | undefined {
    const held = this.#memory.recall(this.#key(space, want), want.version);
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
   * @param since when the versions that are wanted were asked for, if that was before now
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
    since: number = this.clock.now(),
    lagging: Lagging | null = null,
    known = 0,
  ): Promise<Bodies> {
    return lagging === null
      ? this.#read(space, wants, load, trace, since, null, known)
      : this.#readLagging(space, wants, load, trace, since, lagging);
  }

  /** Reads at the replica the entities whose cached bodies may be newer. Those bodies stay cached, and the replica's are kept nowhere. */
  async #readLagging(
    space: EntitySpace,
    wants: readonly Want[],
    load: Loader,
    trace: Trace,
    since: number,
    { asOf, load: loadThere }: Lagging,
  ): Promise<Bodies> {
    const stays: Stays = (key, version) => this.#sightings.mayBeNewer(key, version, asOf, this.clock.now());
    const bodies = await this.#read(space, wants, load, trace, since, stays);
    return withLacking(bodies, wants, loadThere, trace, space.entity);
  }

  /** Like `read`, but leaves out entities whose cached bodies stay. */
  async #read(
    space: EntitySpace,
    wants: readonly Want[],
    load: Loader,
    trace: Trace,
    since: number,
    stays: Stays | null,
    known = 0,
  ): Promise<Bodies> {
    const found = new Map<string, Body | null>();
    const own: Want[] = [];
    const joined = new Map<Flight, Want[]>();
    for (const want of wants) {
      const held = this.recall(space, want, trace);
      if (held !== undefined) {
        found.set(want.id, held);
        continue;
      }
      if (stays !== null && this.#staysInMemory(this.#key(space, want), stays)) continue;
      const flight = this.#flights.of(this.#key(space, want));
      // A read by id trusts a flight. A list compares the versions when the flight has arrived.
      const mayJoin =
        flight !== undefined && (want.version !== null || this.covers(this.#key(space, want), flight.since));
      if (!mayJoin) own.push(want);
      else joined.set(flight, [...(joined.get(flight) ?? []), want]);
    }
    if (own.length === 0 && joined.size === 0) return found;
    if (found.size === 0 && joined.size === 0) return this.#fly(space, own, load, trace, since, stays, known);
    const reads: Promise<Bodies>[] = [];
    if (own.length > 0) reads.push(this.#fly(space, own, load, trace, since, stays, known + found.size));
    for (const [flight, waiting] of joined) reads.push(this.#join(space, flight, waiting, load, trace, stays));
    for (const bodies of await Promise.all(reads)) for (const [id, body] of bodies) found.set(id, body);
    return found;
  }

  /**
   * @param space the kind of entity
   * @returns whether a list had better bring bodies along, since caches are expected to lack them
   */
  lacks({ entity }: EntitySpace): boolean {
    return this.#lacks.expected(entity);
  }

  /**
   * @param space the kind of entity
   * @param wanted how many bodies lists named, of which memory had each
   */
  hasAnswered({ entity }: EntitySpace, wanted: number): void {
    this.#lacks.told(entity, wanted, 0);
  }

  /**
   * Keeps what a list brought along, for lists: they name the version that they want. By id it answers nobody, since nothing is known of
   * what was invalidated between its reading and now.
   *
   * @param space the kind of entity, as it was when the list was asked for
   * @param brought what memory lacked
   * @param wanted how many bodies were wanted in all
   */
  keepForLists(space: EntitySpace, brought: readonly Brought[], wanted: number): void {
    for (const { id, body } of brought) this.#memory.keepForLists(this.#key(space, { id }), entityAlone(body));
    if (this.#laterFills === null || !this.#admitted) this.#lacks.told(space.entity, wanted, brought.length);
    else this.#laterFills.add(space, brought, wanted);
  }

  /**
   * Invalidates bodies after their rows changed. A reading that began before may not be joined and may not fill, here or in other
   * processes.
   *
   * @param changed the entities whose rows changed
   * @param wait whether to wait until every process has forgotten them
   * @throws when Redis does not take it
   */
  async invalidate(changed: readonly { entity: string; id: string }[], wait: boolean): Promise<void> {
    if (changed.length === 0) return;
    const { prefix, channels = UNOBSERVED } = this.#options;
    if (channels.invalidation.hasSubscribers)
      channels.invalidation.publish({ changed, source: wait ? 'write' : 'outbox' });
    const keys = changed.map(({ entity, id }) => cacheKey(prefix, entity, id));
    this.forget(keys);
    await this.announce(keys, wait);
  }

  /**
   * Tells Redis and every process to forget bodies.
   *
   * @param keys their keys
   * @param wait whether to wait until every process has forgotten them
   * @returns those of the keys that another node of a cluster has by now, which is still to be told
   * @throws when Redis cannot be told
   */
  async announce(keys: readonly string[], wait: boolean): Promise<ReadonlySet<string>> {
    const { redis, bus, memoryTtlMs } = this.#options;
    if (redis === null || bus === null) return NONE;
    const { text, acknowledged } = bus.announce([...keys], wait);
    let told: Told | null = null;
    try {
      told = await redis.invalidate([...keys], bus.channel, text, bus.acknowledgers);
      return told.moved ?? NONE;
    } finally {
      await acknowledged(told, memoryTtlMs);
    }
  }

  /**
   * Forgets what this process holds of some keys, and ends its readings of them.
   *
   * @param keys the keys whose rows changed
   */
  forget(keys: readonly string[]): void {
    for (const key of keys) {
      this.#flights.end(key);
      this.#memory.forget(key);
    }
  }

  /** Forgets everything that this process holds, and ends its readings. */
  forgetAll(): void {
    this.#flights.clear();
    this.#memory.clear();
    this.pages?.clear();
    this.#laterFills?.clear();
  }

  /** @param trusted whether this process receives invalidations from now on; while it does not, memory answers nothing by id */
  trust(trusted: boolean): void {
    this.#trust.connected(trusted);
  }

  /**
   * Invalidates for a domain, without waiting. The domain's run of Redis must take it.
   *
   * @param changed the entities whose rows changed
   * @param run the run
   * @throws when another run took it, or none
   */
  async tell(changed: readonly { entity: string; id: string }[], run: string): Promise<void> {
    const met = this.#options.redis?.meets(run) ?? null;
    if (met !== null) await this.invalidate(changed, false);
    if (met?.() !== true)
      throw new Error('Redis was connected anew: it will be told once it is known which one that is.');
  }

  /**
   * Presents this process' share of its domain to Redis, and certifies cached bodies. Redis answers reads by id for that time, and memory
   * does once an echo of it has come back.
   *
   * @param share the share
   * @param ms how long the bodies are certified for, in milliseconds; 0 certifies nothing
   * @param asOf when no change waited that is older than the bound, in milliseconds on the monotonic clock
   * @returns what Redis answered
   * @throws when Redis does not take it
   */
  async vouch(share: Share, ms: number, asOf: number): Promise<Presented> {
    const { redis, bus } = this.#options;
    if (redis === null) throw new TypeError('Without Redis there is no domain.');
    const presented = await redis.present(share, ms);
    if (presented.epoch !== null) bus?.echo({ sent: asOf, epoch: presented.epoch });
    return presented;
  }

  /**
   * Decides whether Redis is used. Its bodies may be those of another database, where other rows have the same ids and versions. When it is
   * not used, memory forgets what came from it.
   *
   * @param admitted whether Redis is known to belong to the database of this process
   */
  admit(admitted: boolean): void {
    this.#admitted = admitted;
    if (!admitted) this.forgetAll();
  }

  /** Whether Redis is used. */
  get admitted(): boolean {
    return this.#admitted;
  }

  /** @param asOf everything that was published before this time has arrived, in milliseconds on the monotonic clock */
  alive(asOf: number): void {
    this.#trust.alive(asOf);
  }

  /**
   * Notes an echo, before which every invalidation has arrived.
   *
   * @param echo what this process sent itself
   */
  heard(echo: Echo): void {
    this.#trust.heard(echo);
  }

  /**
   * Whether a body may answer a read by id, as far as is known of invalidations.
   *
   * @param _key its key
   * @param since when its reading began, in milliseconds on the monotonic clock
   */
  covers(_key: string, since: number): boolean {
    return this.#trust.covers(since);
  }

  #staysInMemory(key: string, stays: Stays): boolean {
    const version = this.#memory.versionOf(key);
    return version !== undefined && stays(key, version);
  }

  /**
   * Waits for another reading; a body of another version than the list named may be older, so it is read again, and so are by id what is for
   * lists alone and what that reading has left out.
   */
  async #join(
    space: EntitySpace,
    flight: Flight,
    wants: Want[],
    load: Loader,
    trace: Trace,
    stays: Stays | null,
  ): Promise<Bodies> {
    const bodies = await flight.bodies;
    const found = new Map<string, Body | null>();
    const again: Want[] = [];
    for (const want of wants) {
      const body = bodies.get(want.id);
      if (body === undefined || (want.version === null && body?.isForLists === true)) again.push(want);
      else if (want.version !== null && body?.version !== want.version) {
        if (!stays?.(this.#key(space, want), body?.version ?? null)) again.push(want);
      } else {
        found.set(want.id, body);
        const counts = trace.entity(space.entity);
        counts[body === null ? 'joinedNegatives' : 'joined'] += 1;
        counts[body === null ? 'negative' : 'hits'] += 1;
      }
    }
    if (again.length > 0) {
      for (const [id, body] of await this.readThrough(space, again, load, trace, stays)) found.set(id, body);
    }
    return found;
  }

  /** Reads, lets others join meanwhile, and keeps in memory what no invalidation ended. */
  #fly(
    space: EntitySpace,
    wants: Want[],
    load: Loader,
    trace: Trace,
    since: number,
    stays: Stays | null,
    known: number,
  ): Promise<Bodies> {
    const bodies = this.readThrough(space, wants, load, trace, stays, known);
    const keys = wants.map((want) => this.#key(space, want));
    return this.#flights.take(keys, { bodies, since }, (key, i, found) => {
      const body = found.get((wants[i] as Want).id);
      if (body?.isForLists === true) this.#memory.keepForLists(key, body);
      else if (body !== undefined) this.#memory.keep(key, body, since);
    });
  }

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
  readThrough(
    space: EntitySpace,
    wants: readonly Want[],
    load: Loader,
    trace: Trace,
    stays: Stays | null,
    known = 0,
  ): Promise<Map<string, Body | null>> {
    const { redis } = this.#options;
    if (this.#admitted || redis === null) return readThrough(this.#options, space, wants, load, trace, stays, known);
    trace.entity(space.entity).bypassed += wants.length;
    return readThrough({ ...this.#options, redis: null }, space, wants, load, trace, stays, known);
  }
}
