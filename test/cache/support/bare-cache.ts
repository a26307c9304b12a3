import { EntityCache } from '../../../src/cache/entity-cache.ts';
import { manualClock } from '../../support/manual-clock.ts';

/** @returns a cache without any tier, in which only those share a reading who read at the same time */
export function bareCache(): EntityCache {
  return new EntityCache({
    redis: null,
    memory: null,
    pages: null,
    bus: null,
    prefix: '',
    ttlMs: 60_000,
    memoryTtlMs: 60_000,
    clock: manualClock(),
  });
}
