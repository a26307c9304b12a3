import type { KeyWriter } from './cache-key.ts';
import { type EntitySpace, encodeEntry, type LoadedBody, NO_EPOCH } from './entry.ts';
import type { Lacks } from './lacks.ts';
import { lifetimeMs } from './lifetime.ts';
import type { RedisTier } from './redis/tier.ts';

/** What a list brought along of an entity. */
export interface Brought {
  readonly id: string;
  readonly body: LoadedBody;
}

/** What waits to be put into Redis of one kind of entity. */
interface Waiting {
  readonly space: EntitySpace;
  readonly bodies: Map<string, LoadedBody>;
  /** How many bodies were wanted when these were lacked, and how many these were, those that were lacked twice counted twice. */
  wanted: number;
  lacked: number;
}

/** How many bodies one command brings. */
const MAX_AT_A_TIME = 100;

/** How many wait at most. More are not put into Redis: nobody depends on it. */
const MAX_WAITING = 1000;

/**
 * Puts into Redis what lists brought along, after the answers that it was brought for. No lease was taken before it was read, so that it
 * may be older than what has been invalidated since: it takes the place of nothing, and is used only where a list names its version.
 */
export class LaterFills {
  readonly #redis: RedisTier;
  readonly #keyOf: KeyWriter;
  readonly #ttlMs: number;
  readonly #lacks: Lacks;
  #waiting = new Map<string, Waiting>();
  #count = 0;
  #isSending = false;

  /**
   * @param redis where
   * @param keyOf writes keys
   * @param ttlMs how long a body is kept, in milliseconds
   * @param lacks told how much of what memory lacked Redis has lacked, too
   */
  constructor(redis: RedisTier, keyOf: KeyWriter, ttlMs: number, lacks: Lacks) {
    this.#redis = redis;
    this.#keyOf = keyOf;
    this.#ttlMs = ttlMs;
    this.#lacks = lacks;
  }

  /**
   * @param space the kind of entity, as it was when the list was asked for
   * @param brought what memory lacked
   * @param wanted how many bodies were wanted in all
   */
  add(space: EntitySpace, brought: readonly Brought[], wanted: number): void {
    if (this.#count + brought.length > MAX_WAITING) {
      this.#lacks.told(space.entity, wanted, brought.length);
      return;
    }
    const kind = `${space.entity} ${space.shape}`;
    const waiting = this.#waiting.get(kind) ?? { space: { ...space }, bodies: new Map(), wanted: 0, lacked: 0 };
    this.#waiting.set(kind, waiting);
    for (const { id, body } of brought) waiting.bodies.set(id, body);
    waiting.wanted += wanted;
    waiting.lacked += brought.length;
    this.#count += brought.length;
    if (this.#isSending) return;
    this.#isSending = true;
    setImmediate(() => void this.#sendAll());
  }

  /** Sends what waits, and what comes meanwhile. A failure of Redis has been told by the tier. */
  async #sendAll(): Promise<void> {
    while (this.#waiting.size > 0) {
      const all = this.#waiting;
      this.#waiting = new Map();
      this.#count = 0;
      for (const waiting of all.values()) await this.#send(waiting);
    }
    this.#isSending = false;
  }

  async #send({ space, bodies, wanted, lacked }: Waiting): Promise<void> {
    const fills = [...bodies].map(([id, body]) => ({
      key: this.#keyOf(space, { id }),
      value: encodeEntry({ body, epoch: NO_EPOCH }, id, space),
      ttlMs: lifetimeMs(body, this.#ttlMs),
    }));
    let stored = 0;
    for (let i = 0; i < fills.length; i += MAX_AT_A_TIME) {
      const some = fills.slice(i, i + MAX_AT_A_TIME);
      // Where Redis cannot say, it would not have answered either.
      stored += (await this.#redis.add(some)) ?? some.length;
    }
    this.#lacks.told(space.entity, wanted, (lacked * stored) / fills.length);
  }
}
