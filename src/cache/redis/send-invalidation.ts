import { type Redis, ReplyError } from 'ioredis';
import { integer } from './replies.ts';
import type { Brought } from './round-trip.ts';

/** Who was told of an invalidation. */
export interface Told {
  /** How many subscribers it had, whoever they are. */
  readonly receivers: number;
  /** The channels where those processes are replied to that acknowledge; `null` when Redis does not say. */
  readonly processes: readonly string[] | null;
}

/**
 * Removes keys and publishes that, in this order. Redis itself says which processes listen, before it publishes: one that begins to in
 * between finds that the keys are gone already.
 *
 * @param redis the connection
 * @param keys the keys, at least one
 * @param channel where the processes listen
 * @param message what they are told
 * @param pattern the channels where they are replied to
 * @returns who was told
 * @throws when Redis cannot be told
 */
export async function sendInvalidation(
  redis: Redis,
  keys: string[],
  channel: string,
  message: string,
  pattern: string,
): Promise<Brought<Told>> {
  const pipeline = redis.pipeline().unlink(keys).pubsub('CHANNELS', pattern).publish(channel, message);
  const [unlinked, listed, published] = (await pipeline.exec()) ?? [];
  for (const reply of [unlinked, published]) if (reply?.[0] != null) throw reply[0];
  integer('UNLINK', unlinked?.[1]);
  // An ACL may refuse it: then all that were told are waited for.
  if (listed?.[0] != null && !(listed[0] instanceof ReplyError)) throw listed[0];
  const processes = Array.isArray(listed?.[1]) ? listed[1].map(String) : null;
  return { commands: 3, answer: { receivers: integer('PUBLISH', published?.[1]), processes } };
}
