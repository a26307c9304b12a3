import type { InvalidationBus } from './bus/invalidation-bus.ts';
import type { Told } from './redis/send-invalidation.ts';
import type { RedisTier } from './redis/tier.ts';

/** The most keys in one message. */
const BATCH = 2000;

/** The keys that a node of a cluster did not remove. A single Redis has all. */
export type Elsewhere = Required<Pick<Told, 'moved' | 'asked'>>;

/**
 * Tells Redis and every process that listens there to forget bodies. A message is sent when Redis has taken the one before. Of all at once,
 * the last could not be answered in the time of a round trip.
 *
 * @param redis the Redis
 * @param bus reaches the processes
 * @param keys the keys of the bodies
 * @param wait whether to wait until every process has forgotten them
 * @param maxMs how long a process may go on answering that does not acknowledge, in milliseconds
 * @returns which of the keys are elsewhere
 * @throws when Redis cannot be told; then it is told no more
 */
export async function tellAll(
  redis: RedisTier,
  bus: InvalidationBus,
  keys: readonly string[],
  wait: boolean,
  maxMs: number,
): Promise<Elsewhere> {
  const moved = new Set<string>();
  const asked = new Map<string, string[]>();
  const acknowledgements: Promise<void>[] = [];
  try {
    for (let at = 0; at < keys.length; at += BATCH) {
      const batch = keys.slice(at, at + BATCH);
      const { text, acknowledged } = bus.announce(batch, wait);
      let told: Told | null = null;
      try {
        told = await redis.invalidate(batch, bus.channel, text, bus.acknowledgers);
      } finally {
        acknowledgements.push(acknowledged(told, maxMs));
      }
      for (const key of told.moved ?? []) moved.add(key);
      for (const [address, part] of told.asked ?? []) asked.set(address, [...(asked.get(address) ?? []), ...part]);
    }
  } finally {
    await Promise.all(acknowledgements);
  }
  return { moved, asked };
}
