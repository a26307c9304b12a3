import type { Redis } from 'ioredis';
import { integer, list } from './replies.ts';
import type { Brought } from './round-trip.ts';

/** A bucket of points that all processes share. */
export interface SharedBucket {
  readonly key: string;
  /** How many points flow in each second. */
  readonly perSecond: number;
  /** The most that it holds. */
  readonly maximum: number;
}

/**
 * Takes points out of a bucket, if it holds enough.
 *
 * @param redis the connection
 * @param bucket the bucket
 * @param points how many to take
 * @returns whether they were taken, and what is left
 * @throws when Redis does not answer
 */
export async function sendTakePoints(
  redis: Redis,
  { key, perSecond, maximum }: SharedBucket,
  points: number,
): Promise<Brought<{ allowed: boolean; available: number }>> {
  const reply = await redis.larderTakePoints(key, perSecond, maximum, points);
  const [allowed, available] = list('larderTakePoints', reply, 2);
  const answer = { allowed: integer('larderTakePoints', allowed) === 1, available: Number(available) };
  return { commands: 5, answer };
}
