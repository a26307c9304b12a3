import type { Presented, Share } from '../share.ts';
import { RedisBodies } from './bodies.ts';
import { roundTrip } from './round-trip.ts';
import type { Told } from './send-invalidation.ts';
import { type SharedBucket, sendTakePoints } from './take-points.ts';

/** The tier in Redis: bodies, what is told of them, and how it is. */
export class RedisTier extends RedisBodies {
  /**
   * Waits for the first connection.
   *
   * @param ms how long to wait, in milliseconds
   * @returns whether Redis is connected
   */
  async connected(ms: number): Promise<boolean> {
    return this.connection.connected(ms);
  }

  /** @param listener told of each connection that stands from now on */
  onReady(listener: () => void): void {
    this.connection.onReady(listener);
  }

  /**
   * Removes bodies and leases alike, so that no reader who began before can fill the keys, and tells every process.
   *
   * @param keys the keys, at least one
   * @param channel where the processes listen
   * @param message what they are told
   * @param acknowledgers the channels where they are replied to, as a pattern
   * @returns who was told
   * @throws when Redis cannot be told: an invalidation must not be lost silently
   */
  async invalidate(keys: string[], channel: string, message: string, acknowledgers: string): Promise<Told> {
    const send = () => this.dialect.invalidate(this.connection.redis, keys, channel, message, acknowledgers);
    return roundTrip('UNLINK', keys, () => this.connection.sound(send), this.upkeep, this.label);
  }

  /** As `Heartbeat` does it: whether what is said now is said to a run of Redis. */
  meets(run: string): (() => boolean) | null {
    return this.heartbeat.meets(run);
  }

  /** As `Heartbeat` does it: finds out which run of Redis this is and which domain. */
  async meet(): Promise<Presented> {
    return this.#heard(this.heartbeat.meet());
  }

  /** As `Heartbeat` does it: shows that a share is of the domain, and vouches for its bodies for a while. */
  async present(share: Share, ms: number): Promise<Presented> {
    return this.#heard(this.heartbeat.present(share, ms));
  }

  /** A heartbeat is due all the time, while bodies may be wanted by nobody. */
  async #heard(beat: Promise<Presented>): Promise<Presented> {
    const presented = await beat;
    this.breakers.bodies.answered();
    return presented;
  }

  /**
   * @param bucket a bucket that all processes share
   * @param points how many to take
   * @returns whether they were there and what is left; `null` when Redis cannot answer
   */
  async takePoints(bucket: SharedBucket, points: number): Promise<{ allowed: boolean; available: number } | null> {
    const send = () => sendTakePoints(this.connection.redis, bucket, points);
    return this.ask('larderTakePoints', [bucket.key], send, this.upkeep, this.breakers.points);
  }

  /**
   * Publishes what may be lost: the sender of an invalidation that is not acknowledged waits, and a memory that does not hear
   * itself asks Redis.
   *
   * @param channel where
   * @param text what
   * @returns how many have heard it; `null` when Redis could not be told
   */
  tell(channel: string, text: string): Promise<number | null> {
    const send = () => this.connection.redis.publish(channel, text);
    return this.attempt(this.breakers.messages, () => this.connection.sound(send));
  }

  /**
   * Asks a node what it knows of its cluster.
   *
   * @returns its answer to CLUSTER SLOTS, and the epoch of its own slots: it grows when the node gets another one
   * @throws when it does not answer, or refuses
   */
  async askCluster(): Promise<{ readonly slots: unknown; readonly epoch: number }> {
    return this.connection.sound(async () => {
      const { redis } = this.connection;
      // In this order: slots that are newer than the epoch do no harm.
      const [info, slots] = await Promise.all([redis.cluster('INFO'), redis.cluster('SLOTS')]);
      return { slots, epoch: Number(/^cluster_my_epoch:(\d+)/m.exec(String(info))?.[1] ?? 0) };
    });
  }

  /**
   * Removes keys of a node's own.
   *
   * @param keys the keys, in one slot
   * @throws when it does not answer, or refuses
   */
  async discard(keys: readonly string[]): Promise<void> {
    await this.connection.sound(() => this.connection.redis.unlink([...keys]));
  }

  /** Whether a connection stands. */
  get isConnected(): boolean {
    return this.connection.isConnected;
  }

  /** Whether Redis failed so often that it is not asked for bodies at the moment. */
  get breakerOpen(): boolean {
    return this.breakers.bodies.tripped;
  }

  /** Why Larder cannot work with this Redis; `null` when it can, or when that is not known. */
  get unfit(): string | null {
    return this.connection.unfit;
  }

  /** @returns whether Redis answers */
  async ping(): Promise<boolean> {
    return this.connection.ping();
  }

  async close(): Promise<void> {
    this.connection.close();
  }
}
