import type { Body } from './entry.ts';

/** How long caches remember that an entity does not exist, in milliseconds. */
const NEGATIVE_TTL_MS = 30_000;

/**
 * Chooses how long an entry is kept. Entries that are filled at the same time must not expire at the same time.
 *
 * @param body the body; `null` for an entity that does not exist
 * @param ttlMs how long a body is kept on the average, in milliseconds
 * @returns how long this one is kept, in milliseconds
 */
export function lifetimeMs(body: Body | null, ttlMs: number): number {
  return Math.round((body === null ? NEGATIVE_TTL_MS : ttlMs) * (0.9 + Math.random() * 0.2));
}
