import type { Redis } from 'ioredis';
import { integer, texts } from './replies.ts';
import type { Brought } from './round-trip.ts';
import { MOST_NAMED, OTHER_TYPE } from './scripts.ts';

/** How long a lease lasts, in milliseconds. That is longer than nearly any SELECT. A slower reader does not fill. */
export const LEASE_MS = 3000;

/**
 * Reads keys, and leases those that are empty, in one round trip.
 *
 * @param redis the connection
 * @param keys the keys to read, at least one
 * @param heartbeat the heartbeat's key
 * @param named whether a list named a version, for each key; only such keys are leased while no process certifies Redis
 * @param token a value that no other reader uses
 * @returns each key's value, the token when this process has the lease, `null` when there is neither; and the heartbeat
 * @throws when Redis does not answer
 */
export async function sendReadOrLease(
  redis: Redis,
  keys: readonly string[],
  heartbeat: string,
  named: readonly boolean[],
  token: string,
): Promise<Brought<(string | null)[]>> {
  const marks = named.map((is) => (is ? 1 : 0)).join('');
  const reply = await redis.larderRead(keys.length + 1, ...keys, heartbeat, token, LEASE_MS, marks);
  const answer = texts('larderRead', reply, keys.length + 1);
  const leased = answer.filter((text) => text === token).length;
  // Redis counts the script's own commands too: each MGET, and a SET for each lease.
  return { commands: 1 + Math.ceil((keys.length + 1) / MOST_NAMED) + leased, answer };
}

/** A value for a key that this process has leased. */
export interface Fill {
  readonly key: string;
  readonly value: string;
  readonly ttlMs: number;
}

/**
 * Leases keys.
 *
 * @param redis the connection
 * @param keys the keys to lease, at least one
 * @param stale those of them whose stale body the lease replaces
 * @param token a value that no other reader uses
 * @returns `null` for each key that this process has leased, otherwise its value, or the error's text
 * @throws when Redis does not answer
 */
export async function sendLeases(
  redis: Redis,
  keys: readonly string[],
  stale: readonly string[],
  token: string,
): Promise<Brought<(string | null)[]>> {
  const replaced = new Set(stale);
  const marks = keys.map((key) => (replaced.has(key) ? 1 : 0)).join('');
  const reply = await redis.larderLease(keys.length, ...keys, token, LEASE_MS, marks);
  const answer = texts('larderLease', reply, keys.length);
  const foreign = answer.filter((text) => text?.startsWith(OTHER_TYPE)).length;
  // Redis counts the script's own commands too: a SET for each key, an UNLINK for each that is emptied.
  return { commands: 1 + keys.length + foreign, answer };
}

/**
 * Stores bodies under the leases that this process still has.
 *
 * @param redis the connection
 * @param fills the values, at least one
 * @param token the leases' value
 * @returns how many were stored
 * @throws when Redis does not answer
 */
export async function sendFills(redis: Redis, fills: readonly Fill[], token: string): Promise<Brought<number>> {
  const keys = fills.map((fill) => fill.key);
  const values = fills.flatMap((fill) => [fill.value, fill.ttlMs]);
  const stored = integer('larderFill', await redis.larderFill(keys.length, ...keys, token, ...values));
  // Redis counts the script's own commands too: one, a GET for each key, a SET for each stored value.
  return { commands: 1 + keys.length + stored, answer: stored };
}

/**
 * Stores bodies that were read without a lease, where a key is empty.
 *
 * @param redis the connection
 * @param fills the values, at least one
 * @returns how many were stored
 * @throws when Redis does not answer
 */
export async function sendAdditions(redis: Redis, fills: readonly Fill[]): Promise<Brought<number>> {
  const values = fills.flatMap((fill) => [fill.value, fill.ttlMs]);
  const reply = await redis.larderAdd(fills.length, ...fills.map((fill) => fill.key), ...values);
  // Redis counts the script's own commands too: a SET for each key.
  return { commands: 1 + fills.length, answer: integer('larderAdd', reply) };
}

/**
 * Removes the leases that this process still has, without a value.
 *
 * @param redis the connection
 * @param keys the leased keys, at least one
 * @param token the leases' value
 * @returns how many were removed
 * @throws when Redis does not answer
 */
export async function sendRelease(redis: Redis, keys: readonly string[], token: string): Promise<Brought<number>> {
  const freed = integer('larderRelease', await redis.larderRelease(keys.length, ...keys, token));
  // Redis counts the script's own commands too: one, a GET for each key, an UNLINK for each that is freed.
  return { commands: 1 + keys.length + freed, answer: freed };
}
