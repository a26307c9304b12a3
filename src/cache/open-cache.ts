import { type Clock, systemClock } from '../clock.ts';
import { type Channels, UNOBSERVED } from '../trace/channels.ts';
import { InvalidationBus } from './bus/invalidation-bus.ts';
import type { BusListener } from './bus/listener.ts';
import type { Echo } from './bus/messages.ts';
import type { ClusterNodes } from './cluster/nodes.ts';
import { openCluster } from './cluster/open-cluster.ts';
import { EntityCache } from './entity-cache.ts';
import { PageMemory } from './memory/page-memory.ts';
import { defaultMemoryBytes } from './memory/size.ts';
import { MemoryTier, type MemoryUse } from './memory/tier.ts';
import { type ClusterPlace, OfCluster } from './redis/cluster-place.ts';
import { REDIS_TIMEOUT_MS } from './redis/connection.ts';
import type { RedisSource } from './redis/source.ts';
import { RedisTier } from './redis/tier.ts';

/** Which tiers there are and how long they keep things. */
export interface CacheSettings {
  /** The address of Redis, or what makes clients of it; `null` for the memory tier alone. */
  readonly redisUrl: RedisSource | null;
  /** How long a round trip to Redis may take, in milliseconds; 100 when it is left out. */
  readonly redisTimeoutMs?: number;
  readonly prefix: string;
  readonly ttlMs: number;
  readonly memoryTtlMs: number;
  /** 0 for no memory tier. */
  readonly memoryMaxEntries: number;
  /** What the memory tier may take in bytes, in halves for single bodies and for whole pages; a share of the heap when it is left out. */
  readonly memoryMaxBytes?: number | undefined;
  /** Where it is told what is forgotten, and what is asked of Redis for no request; nowhere when it is left out. */
  readonly channels?: Channels;
}

/** A cache and the connections under it. Whoever opened it closes it. */
export interface OpenCache {
  readonly cache: EntityCache;
  /** `null` when no Redis is configured, or a cluster. */
  readonly redis: RedisTier | null;
  /** `null` when no cluster is configured. */
  readonly cluster: ClusterNodes | null;
  /** The processes that do not acknowledge invalidations and are waited for no more, each by its host and its id there. */
  silent(): readonly string[];
  /** How much is in memory, by kind; none where nothing is kept there. */
  memoryUse(): Readonly<Record<string, MemoryUse>>;
  close(): Promise<void>;
}

/**
 * Puts the tiers together.
 *
 * @param settings the tiers
 * @param onError told of each failure of Redis, for the log
 * @param clock the time
 * @param onSilence told of each process that is waited for no more, or again
 * @returns the cache; Redis connects in the background
 */
export function openCache(
  settings: CacheSettings,
  onError: (error: Error) => void,
  clock: Clock = systemClock,
  onSilence: BusListener['onSilence'] = () => {},
): OpenCache {
  const { redisUrl, redisTimeoutMs = REDIS_TIMEOUT_MS, prefix, memoryTtlMs, ttlMs, channels = UNOBSERVED } = settings;
  const { memory, pages, memoryUse } = openMemory(settings);
  const tiers = { memory, pages, prefix, ttlMs, memoryTtlMs, clock, channels };
  if (redisUrl === null) {
    const cache = new EntityCache({ ...tiers, redis: null, bus: null });
    return { cache, redis: null, cluster: null, memoryUse, silent: () => [], close: async () => {} };
  }
  let closed = false;
  // What was under way when it was closed has not failed.
  const hear = (error: Error) => {
    if (!closed) onError(error);
  };
  const single = singleOf(() => new RedisTier(redisUrl, prefix, hear, clock, redisTimeoutMs, channels));
  if (!(single instanceof RedisTier)) {
    const kept = { prefix, ttlMs, memoryTtlMs, redisTimeoutMs, clock, channels };
    const { cache, nodes } = openCluster(single, { memory, pages }, kept, { onError: hear, onSilence });
    const close = async () => {
      closed = true;
      await nodes.close();
    };
    const silent = () => [...new Set(nodes.all.flatMap((node) => node.silent))];
    return { cache, redis: null, cluster: nodes, memoryUse, silent, close };
  }
  const redis = single;
  const listener: BusListener = {
    onKeys: (keys: string[]) => cache.forget(keys),
    onConnected: (connected: boolean) => cache.trust(connected),
    onEcho: (echo: Echo) => cache.heard(echo),
    onAlive: (asOf: number) => cache.alive(asOf),
    onSilence,
  };
  let bus: InvalidationBus;
  try {
    bus = new InvalidationBus(redisUrl, prefix, listener, redis.tell.bind(redis), hear, clock, redisTimeoutMs);
  } catch (error) {
    // A function may make clients as it should and then others. The first would connect for ever.
    closed = true;
    void redis.close();
    throw error;
  }
  const cache = new EntityCache({ ...tiers, redis, bus });
  const close = async () => {
    closed = true;
    bus.close();
    await redis.close();
  };
  return { cache, redis, cluster: null, memoryUse, silent: () => bus.silent, close };
}

/** Opens a single Redis, or says where the cluster is that it turned out to be. */
function singleOf(open: () => RedisTier): RedisTier | ClusterPlace {
  try {
    return open();
  } catch (error) {
    if (error instanceof OfCluster) return error.place;
    throw error;
  }
}

/**
 * Makes room in memory. A body that is kept by itself and as a part of a page is one object and counts twice: which of the two
 * forgets it first is not known.
 *
 * @param settings how much
 * @returns the rooms, `null` where nothing is kept, and how much is in them
 */
export function openMemory({
  memoryMaxEntries: entries,
  memoryMaxBytes = defaultMemoryBytes(),
}: Pick<CacheSettings, 'memoryMaxEntries' | 'memoryMaxBytes'>) {
  if (entries === 0 || memoryMaxBytes === 0) return { memory: null, pages: null, memoryUse: () => ({}) };
  const limits = { entries, bytes: Math.ceil(memoryMaxBytes / 2) };
  const memory = new MemoryTier(limits);
  const pages = new PageMemory(limits);
  return { memory, pages, memoryUse: () => ({ ...memory.use(), pages: pages.use() }) };
}
