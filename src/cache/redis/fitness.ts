import type { Redis } from 'ioredis';

/** The first version that has all that is asked of it: `SET … NX GET`, and INFO of several sections. Valkey says 7.2 of itself. */
const OLDEST = 7;

/**
 * Whether a Redis is one that Larder can work with, as far as it says what it is.
 *
 * @param redis a connection that stands
 * @returns what is wrong with it and what to do; `null` when nothing is, or when it may not be asked
 */
export async function unfitness(redis: Redis): Promise<string | null> {
  const info = await redis.info('server').catch(() => '');
  const version = /^redis_version:((\d+)[\w.]*)/m.exec(info);
  if (version === null || Number(version[2]) >= OLDEST) return null;
  return `Redis is ${version[1]}: Larder needs Redis ${OLDEST}.0 or later, or Valkey.`;
}

/**
 * What Redis refuses, in words that say what to do.
 *
 * @param reason what Redis said
 * @returns the same with advice, where there is some
 */
export function withRedisAdvice(reason: string): string {
  if (/NOPERM|can't run this command/.test(reason))
    return `${reason} The user of REDIS_URL lacks rights: docs/operations.md lists them.`;
  if (reason.includes('READONLY')) return `${reason} It is a replica: REDIS_URL must lead to the primary.`;
  if (/^OOM|\bOOM\b/.test(reason))
    return `${reason} Redis is full and evicts nothing: set maxmemory-policy to allkeys-lru.`;
  return reason;
}
