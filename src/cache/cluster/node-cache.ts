import type { CacheOptions } from '../cache-options.ts';
import { EntityCache } from '../entity-cache.ts';
import type { Elsewhere } from '../tell-all.ts';
import type { Importers } from './importers.ts';

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
  readonly #importers: Pick<Importers, 'remove'>;

  /**
   * @param options the node's tier and bus; what is in memory is the whole's
   * @param whole forgets what the process holds, of whichever node
   * @param importers the masters that slots of the node are being moved to
   */
  constructor(options: Omit<CacheOptions, 'memory' | 'pages'>, whole: Whole, importers: Pick<Importers, 'remove'>) {
    super({ ...options, memory: null, pages: null });
    this.#whole = whole;
    this.#importers = importers;
  }

  override forget(keys: readonly string[]): void {
    this.#whole.forget(keys);
  }

  override forgetAll(): void {
    this.#whole.forgetAll();
  }

  /** Removes what moves away where it moves to. */
  protected override async announced(
    elsewhere: Elsewhere,
    tellAgain: () => Promise<Elsewhere>,
  ): Promise<ReadonlySet<string>> {
    if (elsewhere.asked.size === 0) return super.announced(elsewhere, tellAgain);
    await this.#importers.remove(elsewhere.asked);
    // What has come back meanwhile is here. Whoever read it has to acknowledge once more.
    return super.announced(await tellAgain(), tellAgain);
  }
}
