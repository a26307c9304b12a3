import { cacheKey } from '../cache-key.ts';
import { type CacheOptions, EntityCache } from '../entity-cache.ts';

/** What a node's part of a cache needs of the whole. */
export interface Whole {
  forget(keys: readonly string[]): void;
  forgetAll(): void;
}

/** What a process has to do with one node of a cluster: it reads there, hears from it, and tells it what changed. */
export class NodeCache extends EntityCache {
  readonly #whole: Whole;
  readonly #prefix: string;
  readonly #has: (key: string) => boolean;

  /**
   * @param options the node's tier and bus; what is in memory is the whole's
   * @param whole forgets what the process holds, of whichever node
   * @param has whether the node has the slot of a key, as it said itself
   */
  constructor(options: Omit<CacheOptions, 'memory' | 'pages'>, whole: Whole, has: (key: string) => boolean) {
    super({ ...options, memory: null, pages: null });
    this.#whole = whole;
    this.#prefix = options.prefix;
    this.#has = has;
  }

  override forget(keys: readonly string[]): void {
    this.#whole.forget(keys);
  }

  override forgetAll(): void {
    this.#whole.forgetAll();
  }

  /**
   * As every cache, but of keys of others there is nothing to tell: each node has a domain of its own, which is told by itself. Where a slot
   * moves meanwhile, the node that gets it is another run from then on, of which nothing is believed that was there before.
   */
  override async tell(changed: readonly { entity: string; id: string }[], run: string): Promise<void> {
    const own = changed.filter(({ entity, id }) => this.#has(cacheKey(this.#prefix, entity, id)));
    await super.tell(own, run);
  }
}
