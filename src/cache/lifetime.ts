import type { Body } from './entry.ts';

/** How long an entity that does not exist is remembered as such, in milliseconds. */
const NEGATIVE_TTL_MS = 30_000;

/**
 * @param body what is kept
 * @param ttlMs how long a body is kept, in milliseconds
 * @returns how long this one is: what is filled together must not expire together
 */
export function lifetimeMs(body: Body | null, ttlMs: number): number {
  return Math.round((body === null ? NEGATIVE_TTL_MS : ttlMs) * (0.9 + Math.random() * 0.2));
}
