import { UNOBSERVED } from '../trace/channels.ts';
import type { Trace } from '../trace/trace.ts';
import type { Echo } from './bus/messages.ts';
import { cacheKey, keyWriter } from './cache-key.ts';
import type { CacheOptions } from './cache-options.ts';
import type { Body, EntitySpace } from './entry.ts';
import { Lacks } from './lacks.ts';
import { type Brought, LaterFills } from './later-fills.ts';
import type { PageMemory } from './memory/page-memory.ts';
import { Trust } from './memory/trust.ts';
import { type Loader, type ReadThroughOptions, readThrough, type Stays, type Want } from './read-through.ts';
import { Readings } from './readings.ts';
import type { Presented, Share } from './share.ts';
import { type Elsewhere, tellAll } from './tell-all.ts';

const NONE: ReadonlySet<string> = new Set();

/** Reads entities through memory, Redis and Postgres, in that order. In this process, a key has one reader at a time. */
export class EntityCache extends Readings {
  /** What memory holds of whole pages. Its pages need no invalidation, because a list has just named their versions. */
  readonly pages: PageMemory | null;
  readonly #options: CacheOptions & ReadThroughOptions;
  readonly #lacks = new Lacks();
  readonly #laterFills: LaterFills | null;
  readonly #trust: Trust;
  #admitted = true;

  /** @param options the tiers, and how long they keep entries */
  constructor(options: CacheOptions) {
    super(options.memory, keyWriter(options.prefix), options.ttlMs, options.clock);
    this.pages = options.pages;
    this.#options = { ...options, missed: new Map(), lacks: this.#lacks };
    this.#laterFills =
      options.redis && new LaterFills(options.redis, this.key, options.ttlMs, this.#lacks, () => this.#admitted);
    this.#trust = new Trust(options.memoryTtlMs, options.bus === null, options.clock);
    options.redis?.onReady(() => this.#trust.readsAnew());
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
    this.remember(space, brought);
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
    const keys = changed.map(({ entity, id }) => cacheKey(prefix, entity, id));
    this.forget(keys);
    await this.announce(keys, wait);
    if (channels.invalidation.hasSubscribers)
      channels.invalidation.publish({ changed, source: wait ? 'write' : 'outbox' });
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
    const tell = () => tellAll(redis, bus, keys, wait, memoryTtlMs);
    return this.announced(await tell(), tell);
  }

  /**
   * @param elsewhere which of the keys were not removed
   * @param _tellAgain tells all once more
   * @returns those of the keys that another node of a cluster has by now
   * @throws when what is left to do fails
   */
  protected async announced({ moved }: Elsewhere, _tellAgain: () => Promise<Elsewhere>): Promise<ReadonlySet<string>> {
    return moved;
  }

  override forgetAll(): void {
    super.forgetAll();
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

  /** Everything that was published before a time has arrived: both parameters are those of `Trust.alive`. */
  alive(asOf: number, asOfAheadMs?: number): void {
    this.#trust.alive(asOf, asOfAheadMs);
  }

  /** @param echo what this process sent itself: every invalidation before it has arrived */
  heard(echo: Echo): void {
    this.#trust.heard(echo);
  }

  override covers(_key: string, since: number): boolean {
    return this.#trust.covers(since);
  }

  override readThrough(
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
