import { type Redis, ReplyError } from 'ioredis';
import { integer } from './replies.ts';
import type { Brought } from './round-trip.ts';

/** Who received an invalidation. */
export interface Told {
  /** How many subscribers it had, of any kind. */
  readonly receivers: number;
  /** The reply channels of the processes that acknowledge; `null` when Redis does not say. */
  readonly processes: readonly string[] | null;
  /** The keys that another node of a cluster has by now: they were not removed. A single Redis has all. */
  readonly moved?: ReadonlySet<string>;
  /** The keys that may have been moved with a slot of which the rest is still here, by the address of the node that is given it. */
  readonly asked?: ReadonlyMap<string, readonly string[]>;
}

/**
 * Removes keys, and then publishes that. Redis lists the processes that listen before it publishes. A process that begins to listen in
 * between finds the keys gone.
 *
 * @param redis the connection
 * @param keys the keys, at least one
 * @param channel the channel of invalidations
 * @param message the message
 * @param pattern the reply channels
 * @returns who received it
 * @throws when Redis does not do it
 */
export async function sendInvalidation(
  redis: Redis,
  keys: readonly string[],
  channel: string,
  message: string,
  pattern: string,
): Promise<Brought<Told>> {
  const pipeline = redis
    .pipeline()
    .unlink([...keys])
    .pubsub('CHANNELS', pattern)
    .publish(channel, message);
  const [unlinked, listed, published] = (await pipeline.exec()) ?? [];
  for (const reply of [unlinked, published]) if (reply?.[0] != null) throw reply[0];
  integer('UNLINK', unlinked?.[1]);
  // An ACL may refuse the list. Then all receivers are waited for.
  if (listed?.[0] != null && !(listed[0] instanceof ReplyError)) throw listed[0];
  const processes = Array.isArray(listed?.[1]) ? listed[1].map(String) : null;
  return { commands: 3, answer: { receivers: integer('PUBLISH', published?.[1]), processes } };
}
