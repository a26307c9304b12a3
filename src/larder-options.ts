import type { Redis } from 'ioredis';
import type { RedisClientOptions, RedisSource } from './cache/redis/source.ts';
import type { Clock } from './clock.ts';
import type { LarderLogger } from './larder-logger.ts';
import type { PostgresClient } from './postgres/source.ts';
import type { Entities } from './repository/entity.ts';

/** Where Postgres is: an address, or a client of postgres.js, which Larder connects as, on connections of its own. */
export type PostgresPlace =
  | { readonly url: string; readonly client?: never }
  | { readonly client: PostgresClient; readonly url?: never };

/** Where Postgres is, and how much of it to use. */
export type PostgresOptions = PostgresPlace & PostgresLimits;

/** How much of Postgres to use. */
export interface PostgresLimits {
  /** Connections that reads share; writes have as many more, the outbox one. 4 when it is not given. */
  readonly poolSize?: number;
  /** After this time a statement is cancelled, in milliseconds. 5,000 when it is not given. */
  readonly statementTimeoutMs?: number;
  /** How long a request may take in all, in milliseconds. 10,000 when it is not given. */
  readonly requestTimeoutMs?: number;
}

/**
 * Where Redis is: an address; a client of ioredis, of which Larder makes duplicates; or what makes a client with options, as for Sentinel:
 * `connect: (options) => new Redis({ sentinels, name: 'mymaster', ...options })`.
 */
export type RedisPlace =
  | { readonly url: string; readonly client?: never; readonly connect?: never }
  | { readonly client: Redis; readonly url?: never; readonly connect?: never }
  | { readonly connect: (options: RedisClientOptions) => Redis; readonly url?: never; readonly client?: never };

/** What caches keep, for how long, and how old it may be. */
export interface CacheOptions {
  /** Comes before every key in Redis. */
  readonly prefix?: string;
  /** How long a body is kept, in milliseconds. 300,000 when it is not given. */
  readonly ttlMs?: number;
  /** How old an answer to a read by id may be, in milliseconds. 5,000 when it is not given. */
  readonly maxStalenessMs?: number;
  /** How long memory answers by id without news of what changed, in milliseconds. 1,000 when it is not given. */
  readonly memoryTtlMs?: number;
  /** How many entities memory keeps, and how many in whole pages; 0 for none. 100,000 when it is not given. */
  readonly memoryMaxEntries?: number;
  /** What memory may take, in bytes, in halves for single entities and for whole pages. A quarter of the heap when it is not given. */
  readonly memoryMaxBytes?: number | undefined;
  /** Which share of what caches answer to reads by id is checked against Postgres, from 0 to 1. 0.0001 when it is not given. */
  readonly selfAuditRate?: number;
}

/** What a Larder is made of. */
export interface LarderOptions<E extends Entities> {
  readonly entities: E;
  readonly postgres: PostgresOptions;
  /** `null`, or left out, for the memory of this process alone. A round trip may take `timeoutMs`; 100 when it is not given. */
  readonly redis?: (RedisPlace & { readonly timeoutMs?: number }) | null;
  readonly cache?: CacheOptions;
  /** Nothing is said when it is left out. */
  readonly logger?: LarderLogger;
  /** The time; the machine's when it is left out. */
  readonly clock?: Clock;
}

/**
 * @param place where Redis is, as it was given
 * @returns the address, or what makes a client; `null` where there is no Redis
 */
export function redisSource(place: RedisPlace | null): RedisSource | null {
  if (place === null) return null;
  const { url, client, connect } = place;
  return client === undefined ? (connect ?? url) : (options) => client.duplicate(options) as Redis;
}
