import { type CacheOptions, EntityCache } from '../entity-cache.ts';

/** What a node's part of a cache needs of the whole. */
export interface Whole {
  forget(keys: readonly string[]): void;
  forgetAll(): void;
}

/**
 * What a process has to do with one node of a cluster: it reads there, hears from it, and tells it what changed. The node itself decides which
 * keys are in its slots: what a process knows of that may be older than what others have filled there.
 */
export class NodeCache extends EntityCache {
  readonly #whole: Whole;

  /**
   * @param options the node's tier and bus; what is in memory is the whole's
   * @param whole forgets what the process holds, of whichever node
   */
  constructor(options: Omit<CacheOptions, 'memory' | 'pages'>, whole: Whole) {
    super({ ...options, memory: null, pages: null });
    this.#whole = whole;
  }

  override forget(keys: readonly string[]): void {
    this.#whole.forget(keys);
  }

  override forgetAll(): void {
    this.#whole.forgetAll();
  }
}
