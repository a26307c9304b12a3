import type { KeyWriter } from './cache-key.ts';
import { type EntitySpace, encodeEntry, type LoadedBody, NO_EPOCH } from './entry.ts';
import type { Lacks } from './lacks.ts';
import { lifetimeMs } from './lifetime.ts';
import { bytesOf } from './memory/size.ts';
import type { RedisTier } from './redis/tier.ts';

/** A body that a list statement brought along. */
export interface Brought {
  readonly id: string;
  readonly body: LoadedBody;
}

/** The bodies of one kind of entity that wait to be put into Redis. */
interface Waiting {
  readonly space: EntitySpace;
  readonly bodies: Map<string, LoadedBody>;
  /** How many bodies were wanted when these were lacked, and how many were lacked, with repetitions. */
  wanted: number;
  lacked: number;
}

/** How many bodies one command stores. */
const MAX_AT_A_TIME = 100;

/** The most bodies that wait, and their most bytes. More are not put into Redis, which does no harm. */
const MAX_WAITING = 1000;
const MAX_WAITING_BYTES = 2 ** 24;

/**
 * Fills Redis with bodies that list statements brought along, after their requests are answered. Their reader took no lease, so such a body
 * may be older than an invalidation since. So it replaces nothing, and is used only where a list names its version.
 */
export class LaterFills {
  readonly #redis: RedisTier;
  readonly #keyOf: KeyWriter;
  readonly #ttlMs: number;
  readonly #lacks: Lacks;
  readonly #mayFill: () => boolean;
  #waiting = new Map<string, Waiting>();
  #count = 0;
  #bytes = 0;
  #isSending = false;
  /** How often what waits was let go. */
  #cleared = 0;

  /**
   * @param redis the Redis tier
   * @param keyOf writes keys
   * @param ttlMs how long a body is kept, in milliseconds
   * @param lacks told which part of what memory lacked was missing in Redis, too
   * @param mayFill whether Redis may be filled at this moment
   */
  constructor(redis: RedisTier, keyOf: KeyWriter, ttlMs: number, lacks: Lacks, mayFill: () => boolean) {
    this.#redis = redis;
    this.#keyOf = keyOf;
    this.#ttlMs = ttlMs;
    this.#lacks = lacks;
    this.#mayFill = mayFill;
  }

  /**
   * @param space the kind of entity, as it was when the list was asked for
   * @param brought the bodies that memory lacked
   * @param wanted how many bodies were wanted in all
   */
  add(space: EntitySpace, brought: readonly Brought[], wanted: number): void {
    let bytes = 0;
    for (const { body } of brought) bytes += bytesOf(body);
    if (this.#count + brought.length > MAX_WAITING || this.#bytes + bytes > MAX_WAITING_BYTES) {
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
    this.#bytes += bytes;
    if (this.#isSending) return;
    this.#isSending = true;
    setImmediate(() => void this.#sendAll());
  }

  /** Lets go what waits, and what is about to be sent. */
  clear(): void {
    this.#take();
    this.#cleared += 1;
  }

  #take(): Iterable<Waiting> {
    const all = this.#waiting.values();
    this.#waiting = new Map();
    this.#count = 0;
    this.#bytes = 0;
    return all;
  }

  /** Sends what waits, and what comes meanwhile. The tier has reported a failure of Redis. */
  async #sendAll(): Promise<void> {
    while (this.#waiting.size > 0) {
      const begun = this.#cleared;
      const isCleared = () => begun !== this.#cleared;
      for (const waiting of this.#take()) await this.#send(waiting, isCleared);
    }
    this.#isSending = false;
  }

  async #send({ space, bodies, wanted, lacked }: Waiting, isCleared: () => boolean): Promise<void> {
    const all = [...bodies];
    let stored = 0;
    for (let i = 0; i < all.length && this.#mayFill() && !isCleared(); i += MAX_AT_A_TIME) {
      const fills = all.slice(i, i + MAX_AT_A_TIME).map(([id, body]) => ({
        key: this.#keyOf(space, { id }),
        value: encodeEntry({ body, epoch: NO_EPOCH }, id, space),
        ttlMs: lifetimeMs(body, this.#ttlMs),
      }));
      // When Redis does not answer, it would not have answered a read either.
      stored += (await this.#redis.add(fills)) ?? fills.length;
    }
    // What was let go says nothing of what Redis has.
    if (!isCleared()) this.#lacks.told(space.entity, wanted, (lacked * stored) / all.length);
  }
}
