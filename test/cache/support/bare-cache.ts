import { EntityCache } from '../../../src/cache/entity-cache.ts';
import type { Clock } from '../../../src/clock.ts';
import { manualClock } from '../../support/manual-clock.ts';

/**
 * @param clock the time; it stands still when it is left out
 * @param memoryTtlMs how old a reading may be that others by id share, in milliseconds
 * @returns a cache without any tier, in which only those share a reading who read at the same time
 */
export function bareCache(clock: Clock = manualClock(), memoryTtlMs = 60_000): EntityCache {
  return new EntityCache({
    redis: null,
    memory: null,
    pages: null,
    bus: null,
    prefix: '',
    ttlMs: 60_000,
    memoryTtlMs,
    clock,
  });
}
