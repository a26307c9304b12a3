import type { Clock } from '../clock.ts';
import type { RedisConnection } from './redis-connection.ts';
import { integer, pair, text } from './redis-replies.ts';

/** The key by which a run of Redis is vouched for, as long as it is there. */
export class Heartbeat {
  readonly key: string;
  readonly #connection: RedisConnection;
  readonly #clock: Clock;
  /** Which run of Redis was met last, and how far its clock is ahead of ours at least. */
  #met = { epoch: '', aheadMs: 0 };

  /**
   * @param connection the connection to Redis
   * @param prefix put before the key
   * @param clock the time
   */
  constructor(connection: RedisConnection, prefix: string, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
    this.key = `${prefix}larder:heartbeat`;
  }

  /**
   * Vouches for every body that was read in this run of Redis, for a while that begins now and not when Redis hears of it.
   *
   * @param ms how long, in milliseconds
   * @returns which run of Redis it is; `null` when the while was over before Redis heard of it
   * @throws when Redis cannot be told
   */
  async vouch(ms: number): Promise<string | null> {
    const deadline = this.#clock.now() + ms;
    // A run that was not met before only shows its clock.
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      const known = this.#met;
      const at = Math.floor(deadline + known.aheadMs);
      const { epoch, now } = await this.#connection.sound(async () => {
        const reply = pair('larderBeat', await this.#connection.redis.larderBeat(this.key, known.epoch, at));
        return { epoch: text('larderBeat', reply[0]) ?? '', now: integer('larderBeat', reply[1]) };
      });
      this.#met = { epoch, aheadMs: now - this.#clock.now() };
      if (epoch === known.epoch) return now < at ? epoch : null;
    }
    throw new Error('Redis became another one between two heartbeats.');
  }
}
