import { type Redis, ReplyError } from 'ioredis';
import { text } from './redis-replies.ts';
import type { Brought } from './round-trip.ts';

/** How long a lease lasts at most: longer than nearly any SELECT; a reader slower than that does not fill. */
const LEASE_MS = 3000;

/** How Redis' answer begins when a key holds a list or a hash, or whatever else is no text. */
const OTHER_TYPE = 'WRONGTYPE';

/**
 * Sends the commands that lease keys. Keys seen with a stale body are emptied first. A key that holds no text is emptied
 * afterwards: no lease can be had of it, and nothing else would ever end what somebody put there.
 *
 * @param redis the connection
 * @param keys the keys to lease, at least one
 * @param stale those of them that hold a stale body
 * @param token a value that no other reader uses
 * @returns for each key `null` when the lease is ours, else what stands there, or the error's text
 * @throws when Redis cannot answer
 */
export async function sendLeases(
  redis: Redis,
  keys: readonly string[],
  stale: string[],
  token: string,
): Promise<Brought<(string | null)[]>> {
  const pipeline = redis.pipeline();
  if (stale.length > 0) pipeline.unlink(stale);
  for (const key of keys) pipeline.call('SET', key, token, 'NX', 'GET', 'PX', LEASE_MS);
  const replies = (await pipeline.exec()) ?? [];
  const leases = replies.slice(stale.length > 0 ? 1 : 0);
  const answer = leases.map(([error, value]) => {
    if (error === null) return text('SET', value);
    if (error instanceof ReplyError) return String(error);
    throw error;
  });
  const foreign = keys.filter((_key, i) => leases[i]?.[0]?.message.startsWith(OTHER_TYPE));
  if (foreign.length > 0) await redis.unlink(foreign);
  return { commands: replies.length + (foreign.length > 0 ? 1 : 0), answer };
}
