import type { Channels } from '../trace/channels.ts';
import type { InvalidationBus } from './bus/invalidation-bus.ts';
import type { PageMemory } from './memory/page-memory.ts';
import type { MemoryTier } from './memory/tier.ts';
import type { ReadThroughOptions } from './read-through.ts';

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
