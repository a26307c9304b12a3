import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import type { RedisTier } from './tier.ts';

/** The level of one client's bucket. */
interface Level {
  readonly points: number;
  /** When it was so, in milliseconds on the monotonic clock. */
  readonly at: number;
}

/** The result of an attempt to take points. */
export interface Taken {
  readonly allowed: boolean;
  /** Points left. */
  readonly available: number;
  /** How long until there are enough, in milliseconds; 0 when they were taken. */
  readonly retryAfterMs: number;
}

/** How many clients' levels a process keeps when there is no Redis. */
const CLIENTS = 100_000;

/**
 * Leaky buckets of points, one for each client (as Shopify counts them). A bucket holds the points of some seconds, and fills steadily.
 * With Redis, all processes share them, in one call each. Without it, or while Redis does not answer, each process counts on its own. Then
 * a client may spend as much with every process, but never without being counted.
 */
export class SharedPointBuckets {
  readonly perSecond: number;
  readonly maximum: number;
  readonly #redis: Pick<RedisTier, 'takePoints'> | null;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #levels = new LRUCache<string, Level>({ max: CLIENTS });

  /**
   * @param redis where processes share the buckets; `null` for none
   * @param prefix comes before each key
   * @param perSecond how many points flow in each second
   * @param maximum the most that a bucket holds
   * @param clock the time
   */
  constructor(
    redis: Pick<RedisTier, 'takePoints'> | null,
    prefix: string,
    perSecond: number,
    maximum: number,
    clock: Clock,
  ) {
    this.#clock = clock;
    this.#redis = redis;
    this.#prefix = prefix;
    this.perSecond = perSecond;
    this.maximum = maximum;
  }

  /**
   * @param client whose bucket
   * @param points how many to take; more than the maximum are never there
   * @returns whether they were taken, and what is left
   */
  async take(client: string, points: number): Promise<Taken> {
    // Buckets with other limits are others. In one that both fill, each would undo what the other counts.
    const key = `${this.#prefix}larder:points:${this.maximum}:${this.perSecond}:${client}`;
    const bucket = { key, perSecond: this.perSecond, maximum: this.maximum };
    const shared = (await this.#redis?.takePoints(bucket, points)) ?? null;
    return shared === null ? this.#takeHere(client, points) : this.#taken(shared.allowed, shared.available, points);
  }

  #takeHere(client: string, points: number): Taken {
    const now = this.#clock.now();
    const { points: level, at } = this.#levels.get(client) ?? { points: this.maximum, at: now };
    const filled = Math.min(this.maximum, level + ((now - at) / 1000) * this.perSecond);
    const allowed = filled >= points;
    const available = allowed ? filled - points : filled;
    this.#levels.set(client, { points: available, at: now });
    return this.#taken(allowed, available, points);
  }

  #taken(allowed: boolean, available: number, points: number): Taken {
    const retryAfterMs = allowed ? 0 : ((points - available) / this.perSecond) * 1000;
    return { allowed, available, retryAfterMs };
  }
}
