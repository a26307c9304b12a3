import type { Cluster, Redis } from 'ioredis';
import { placeOf } from './cache/redis/cluster-place.ts';
import { isOfCluster, type RedisClientOptions, type RedisSource } from './cache/redis/source.ts';
import type { Clock } from './clock.ts';
import type { LarderLogger } from './larder-logger.ts';
import type { PostgresClient, PostgresSource } from './postgres/source.ts';
import type { Entities } from './repository/entity.ts';
import { WrongValue } from './wrong-value.ts';

/** Where Postgres is: an address, or a client of postgres.js. Larder connects as that client does, on connections of its own. */
export type PostgresPlace =
  | { readonly url: string; readonly client?: never }
  | { readonly client: PostgresClient; readonly url?: never };

/** Where Postgres is, and how much of it to use. */
export type PostgresOptions = PostgresPlace & PostgresLimits;

/** How much of Postgres to use. */
export interface PostgresLimits {
  /** How many connections reads share; 4 when it is left out. Writes have as many more, and the outbox two. */
  readonly poolSize?: number;
  /** A statement is cancelled after this time, in milliseconds; 5,000 when it is left out. */
  readonly statementTimeoutMs?: number;
  /** How long a request may take in all, in milliseconds; 10,000 when it is left out. */
  readonly requestTimeoutMs?: number;
  /**
   * Streaming replicas at which lists may be read, in the same forms as Postgres itself; none when it is left out. Each gets `poolSize`
   * connections.
   */
  readonly replicas?: readonly PostgresSource[];
  /** How far behind a replica may be to be used, in milliseconds; 1,000 when it is left out. */
  readonly maxReplicaLagMs?: number;
}

/**
 * Where Redis is. It is an address, a client of ioredis, which Larder duplicates, or a function that makes a client with options. The last
 * is for Sentinel: `connect: (options) => new Redis({ sentinels, name: 'mymaster', ...options })`.
 * A client of a cluster says where its nodes are, and with which account to ask them.
 */
export type RedisPlace =
  | { readonly url: string; readonly client?: never; readonly connect?: never }
  | { readonly client: Redis | Cluster; readonly url?: never; readonly connect?: never }
  | {
      readonly connect: (options: RedisClientOptions) => Redis | Cluster;
      readonly url?: never;
      readonly client?: never;
    };

/** Where Redis is, and how long it may take. */
export type RedisOptions = RedisPlace & {
  /** How long a round trip may take, in milliseconds; 100 when it is left out. */
  readonly timeoutMs?: number;
};

/** How much caches keep, how long, and how old it may be. */
export interface CacheOptions {
  /** Comes before every key in Redis. */
  readonly prefix?: string;
  /** How long a body is kept, in milliseconds; 300,000 when it is left out. */
  readonly ttlMs?: number;
  /** How old an answer to a read by id may be, in milliseconds; 5,000 when it is left out. The largest in a cache domain counts for all. */
  readonly maxStalenessMs?: number;
  /** How long memory answers by id without news of changes, in milliseconds; 1,000 when it is left out. */
  readonly memoryTtlMs?: number;
  /** How many entities memory keeps, and how many in whole pages; 100,000 when it is left out, 0 for none. */
  readonly memoryMaxEntries?: number;
  /** How much memory may take, in bytes, half for single entities and half for whole pages; a quarter of the heap when it is left out. */
  readonly memoryMaxBytes?: number | undefined;
  /** The share of reads by id answered by caches that is checked against Postgres, from 0 to 1; 0.0001 when it is left out. */
  readonly selfAuditRate?: number;
}

/** What a Larder is made of. */
export interface LarderOptions<E extends Entities> {
  readonly entities: E;
  readonly postgres: PostgresOptions;
  /** `null`, or left out, for the memory of this process alone. */
  readonly redis?: RedisOptions | null;
  readonly cache?: CacheOptions;
  /** The log; none when it is left out. */
  readonly logger?: LarderLogger;
  /** The time; the machine's when it is left out. */
  readonly clock?: Clock;
}

/**
 * @param place where Redis is, as it was given
 * @returns the address, or a function that makes a client; `null` where there is no Redis
 * @throws {WrongValue} when it says nothing, as it may in JavaScript where a variable of the environment is not set
 */
export function redisSource(place: RedisPlace | null): RedisSource | null {
  if (place === null) return null;
  const { url, client, connect } = place;
  if (client == null) {
    const source = connect ?? url;
    if (typeof source === 'string' || typeof source === 'function') return source;
    throw new WrongValue('expected url, client or connect, got none of them: without Redis, leave redis out');
  }
  return isOfCluster(client) ? placeOf(client) : (options) => client.duplicate(options) as Redis;
}
