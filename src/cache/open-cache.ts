import { type Clock, systemClock } from '../clock.ts';
import type { Echo } from './bus-messages.ts';
import { EntityCache } from './entity-cache.ts';
import { InvalidationBus } from './invalidation-bus.ts';
import { MemoryTier } from './memory-tier.ts';
import { PageMemory } from './page-memory.ts';
import { RedisTier } from './redis-tier.ts';

/** Which tiers there are and how long they keep things. */
export interface CacheSettings {
  /** `null` for the memory tier alone. */
  readonly redisUrl: string | null;
  readonly prefix: string;
  readonly ttlMs: number;
  readonly memoryTtlMs: number;
  /** 0 for no memory tier. */
  readonly memoryMaxEntries: number;
}

/** A cache and the connections under it. Whoever opened it closes it. */
export interface OpenCache {
  readonly cache: EntityCache;
  /** `null` when no Redis is configured. */
  readonly redis: RedisTier | null;
  close(): Promise<void>;
}

/**
 * Puts the tiers together.
 *
 * @param settings the tiers
 * @param onError told of each failure of Redis, for the log
 * @param clock the time
 * @returns the cache; Redis connects in the background
 */
export function openCache(
  settings: CacheSettings,
  onError: (error: Error) => void,
  clock: Clock = systemClock,
): OpenCache {
  const { redisUrl, prefix, memoryMaxEntries, memoryTtlMs, ttlMs } = settings;
  const memory = memoryMaxEntries === 0 ? null : new MemoryTier(memoryMaxEntries);
  const pages = memoryMaxEntries === 0 ? null : new PageMemory(memoryMaxEntries);
  if (redisUrl === null) {
    const cache = new EntityCache({ memory, pages, redis: null, bus: null, prefix, ttlMs, memoryTtlMs, clock });
    return { cache, redis: null, close: async () => {} };
  }
  const redis = new RedisTier(redisUrl, prefix, onError, clock);
  const listener = {
    onKeys: (keys: string[]) => cache.forget(keys),
    onConnected: (connected: boolean) => cache.trust(connected),
    onEcho: (echo: Echo) => cache.heard(echo),
  };
  const bus = new InvalidationBus(redisUrl, prefix, listener, redis.tell.bind(redis), onError, clock);
  const cache = new EntityCache({ memory, pages, redis, bus, prefix, ttlMs, memoryTtlMs, clock });
  const close = async () => {
    bus.close();
    await redis.close();
  };
  return { cache, redis, close };
}
