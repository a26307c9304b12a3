import type { Redis } from 'ioredis';
import { countEntries } from '../entry.ts';
import { type Fill, sendAdditions, sendFills, sendLeases, sendReadOrLease, sendRelease } from './lease.ts';
import { texts } from './replies.ts';
import type { Brought } from './round-trip.ts';
import { sendInvalidation, type Told } from './send-invalidation.ts';

/** What a read found. */
export interface Values {
  /** A value or `null` for each key, in order. */
  readonly values: (string | null)[];
  /** The heartbeat's value; `null` when it has stopped. */
  readonly epoch: string | null;
  /** The keys that another node of the cluster has by now: nothing is known of them. */
  readonly moved: ReadonlySet<string>;
}

/** How what is asked of Redis is put into commands. What is asked in one call leaves in one write and is answered in one round trip. */
export interface Dialect {
  /** Reads keys, and the heartbeat no later than these. */
  read(redis: Redis, keys: readonly string[], heartbeat: string): Promise<Brought<Values>>;
  /** As `read`, and leases what is empty: the token stands for a key whose lease is ours. */
  readOrLease(
    redis: Redis,
    keys: readonly string[],
    heartbeat: string,
    named: readonly boolean[],
    token: string,
  ): Promise<Brought<Values>>;
  lease(
    redis: Redis,
    keys: readonly string[],
    stale: readonly string[],
    token: string,
  ): Promise<Brought<(string | null)[]>>;
  fill(redis: Redis, fills: readonly Fill[], token: string): Promise<Brought<number>>;
  add(redis: Redis, fills: readonly Fill[]): Promise<Brought<number>>;
  release(redis: Redis, keys: readonly string[], token: string): Promise<Brought<number>>;
  invalidate(
    redis: Redis,
    keys: readonly string[],
    channel: string,
    message: string,
    pattern: string,
  ): Promise<Brought<Told>>;
}

const NONE: ReadonlySet<string> = new Set();

/** What a list of texts says, of which the last is the heartbeat. */
function valuesOf(found: readonly (string | null)[]): Values {
  return { values: found.slice(0, -1), epoch: found.at(-1) ?? null, moved: NONE };
}

/** One command or script for all keys. */
export const SINGLE: Dialect = {
  async read(redis, keys, heartbeat) {
    const answer = valuesOf(texts('MGET', await redis.mget([...keys, heartbeat]), keys.length + 1));
    return { commands: 1, hits: countEntries(answer.values), answer };
  },
  async readOrLease(redis, keys, heartbeat, named, token) {
    const { commands, answer: found } = await sendReadOrLease(redis, keys, heartbeat, named, token);
    const answer = valuesOf(found);
    return { commands, hits: countEntries(answer.values), answer };
  },
  lease: sendLeases,
  fill: sendFills,
  add: sendAdditions,
  release: sendRelease,
  invalidate: sendInvalidation,
};
