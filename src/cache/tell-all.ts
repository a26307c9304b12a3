import type { InvalidationBus } from './bus/invalidation-bus.ts';
import type { Told } from './redis/send-invalidation.ts';
import type { RedisTier } from './redis/tier.ts';

/**
 * Tells Redis and every process that listens there to forget bodies.
 *
 * @param redis the Redis
 * @param bus reaches the processes
 * @param keys the keys of the bodies
 * @param wait whether to wait until every process has forgotten them
 * @param maxMs how long a process may go on answering that does not acknowledge, in milliseconds
 * @returns who received it
 * @throws when Redis cannot be told
 */
export async function tellAll(
  redis: RedisTier,
  bus: InvalidationBus,
  keys: readonly string[],
  wait: boolean,
  maxMs: number,
): Promise<Told> {
  const { text, acknowledged } = bus.announce([...keys], wait);
  let told: Told | null = null;
  try {
    told = await redis.invalidate([...keys], bus.channel, text, bus.acknowledgers);
    return told;
  } finally {
    await acknowledged(told, maxMs);
  }
}
