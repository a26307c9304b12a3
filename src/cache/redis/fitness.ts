import type { Redis } from 'ioredis';

/** The first version that has all that is asked of it: `SET … NX GET`, and INFO of several sections. Valkey says 7.2 of itself. */
const OLDEST = 7;

/** What a Redis says of itself. */
export interface Introduced {
  /** The id of its process, which is another one after each start; `null` when it may not be asked. */
  readonly process: string | null;
  /** Why Larder cannot work with it, and what to do; `null` when it can, or when it may not be asked. */
  readonly unfit: string | null;
}

/**
 * Asks a Redis what it is.
 *
 * @param redis a connection that stands
 * @param isNode whether it is meant to be a node of a cluster
 * @returns what it says
 */
export async function introduce(redis: Redis, isNode: boolean): Promise<Introduced> {
  const info = await redis.info('server').catch(() => '');
  return { process: /^run_id:(\w+)/m.exec(info)?.[1] ?? null, unfit: unfitness(info, isNode) };
}

function unfitness(info: string, isNode: boolean): string | null {
  // The one is what Redis calls it, the other Valkey.
  if (!isNode && /^(redis|server)_mode:cluster/m.test(info)) {
    return 'This Redis is a node of a cluster, and has but some of the keys: begin REDIS_URL with redis+cluster:// or rediss+cluster://.';
  }
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
