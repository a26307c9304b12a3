import { aheadMs, type Clock } from '../../clock.ts';
import { errorOf } from '../../reason-of.ts';
import type { Channels } from '../../trace/channels.ts';
import { Trace } from '../../trace/trace.ts';
import { InvalidationBus } from '../bus/invalidation-bus.ts';
import type { BusListener } from '../bus/listener.ts';
import type { Echo } from '../bus/messages.ts';
import type { Address, ClusterPlace } from '../redis/cluster-place.ts';
import type { Names } from '../redis/heartbeat.ts';
import { sourceOfNode } from '../redis/source.ts';
import { RedisTier } from '../redis/tier.ts';
import { clusterDialect } from './dialect.ts';
import { Importers } from './importers.ts';
import { namesOfNode } from './names.ts';
import { NodeCache, type Whole } from './node-cache.ts';
import { hasSlot, type SlotRange, slotOf } from './slots.ts';
import { type NodeView, readSlots } from './view.ts';

/** How long things are kept, and where it is told what happens. */
export interface NodeSettings {
  readonly prefix: string;
  readonly ttlMs: number;
  readonly memoryTtlMs: number;
  readonly redisTimeoutMs: number;
  readonly clock: Clock;
  readonly channels: Channels;
}

/** What a node tells of itself. */
export interface NodeListener {
  /** Something failed. */
  onError(error: Error): void;
  /** It was asked for a slot that it has not. */
  onMoved(): void;
  readonly onSilence: BusListener['onSilence'];
}

/** What a node says of its cluster counts for so long, in milliseconds. */
const FRESH_MS = 1000;

/**
 * A master of a cluster, as one process has to do with it: it is read, heard and vouched for by itself, as a single Redis is. What vouches
 * for it is a key in a slot of its own, whose name has the node's id: neither the node that takes its place nor the one that gets that slot
 * is vouched for by it.
 */
export class ClusterNode {
  readonly id: string;
  /** Where it is, as the cluster says. */
  readonly address: Address;
  /** What it is called in figures and words. */
  readonly label: string;
  readonly redis: RedisTier;
  readonly cache: NodeCache;
  /** The slots that it has: as it says, or as others do while it has never answered. */
  claims: readonly SlotRange[];
  /** The epoch of these slots, as it says; less than any while it has never answered. */
  epoch = -1;
  /** The masters that it sees. */
  seen: readonly NodeView[] = [];
  readonly #bus: InvalidationBus;
  readonly #clock: Clock;
  readonly #onError: (error: Error) => void;
  readonly #prefix: string;
  #names: Names;
  #seenAt = Number.NEGATIVE_INFINITY;
  /** How far the time of day was ahead of the clock then. */
  #seenAheadMs = Number.POSITIVE_INFINITY;

  /**
   * Connects in the background.
   *
   * @param view the node as others see it
   * @param place how the nodes of the cluster are reached
   * @param settings how long things are kept
   * @param whole what forgets what the process holds, of whichever node
   * @param listener told of what happens
   * @throws what the place's `reach` throws
   */
  constructor(view: NodeView, place: ClusterPlace, settings: NodeSettings, whole: Whole, listener: NodeListener) {
    const { prefix, clock, redisTimeoutMs: timeoutMs, channels } = settings;
    const { id, address, ranges } = view;
    this.id = id;
    this.address = address;
    this.label = `${address.host}:${address.port}`;
    this.claims = ranges;
    this.#clock = clock;
    this.#onError = listener.onError;
    this.#prefix = prefix;
    this.#names = namesOfNode(prefix, id, ranges);
    const part = {
      label: this.label,
      dialect: clusterDialect(listener.onMoved),
      names: () => this.#names,
    };
    const source = sourceOfNode(place, address);
    const redis = new RedisTier(source, prefix, listener.onError, clock, timeoutMs, channels, part);
    const heard: BusListener = {
      onKeys: (keys) => cache.forget(keys),
      onConnected: (connected) => cache.trust(connected),
      onEcho: (echo: Echo) => cache.heard(echo),
      // What it has not confirmed to have may be another's by now, where others say what changed.
      onAlive: (asOf) => cache.alive(Math.min(asOf, this.#seenAt), this.#seenAheadMs),
      onSilence: listener.onSilence,
    };
    // A cluster tells all its nodes what is published: names of its own keep a node from hearing what was said at others.
    const own = `${prefix}larder:${id}:`;
    const bus = new InvalidationBus(source, own, heard, redis.tell.bind(redis), listener.onError, clock, timeoutMs);
    const importers = new Importers(place, address.host, new Trace({ clock, channels }), listener.onError);
    const cache = new NodeCache({ ...settings, redis, bus }, whole, importers);
    this.redis = redis;
    this.cache = cache;
    this.#bus = bus;
  }

  /** The processes that are waited for no more, each by its host and its id there. */
  get silent(): readonly string[] {
    return this.#bus.silent;
  }

  /** Whether it has said lately what it sees. */
  get isFresh(): boolean {
    return this.#clock.now() - this.#seenAt < FRESH_MS;
  }

  /** Asks it what it sees, unless it is not connected. */
  async look(): Promise<void> {
    if (!this.redis.isConnected) return;
    const asked = this.#clock.now();
    const ahead = aheadMs(this.#clock, asked);
    try {
      const { slots, epoch } = await this.redis.askCluster();
      this.seen = readSlots(slots, this.address.host);
      this.claims = this.seen.find(({ id }) => id === this.id)?.ranges ?? [];
      this.epoch = epoch;
      this.#seenAt = asked;
      this.#seenAheadMs = ahead;
      await this.#rename();
    } catch (error) {
      this.#onError(errorOf(error));
    }
  }

  /** Whoever left a key behind that says whose the node is would find it outdated when it gets its name again. */
  async #rename(): Promise<void> {
    const before = this.#names;
    const names = namesOfNode(this.#prefix, this.id, this.claims);
    if (names.domain === before.domain) return;
    this.#names = names;
    if (hasSlot(this.claims, slotOf(before.domain))) await this.redis.discard([before.heartbeat, before.domain]);
  }

  /** Ends its connections. */
  async close(): Promise<void> {
    this.#bus.close();
    await this.redis.close();
  }
}
