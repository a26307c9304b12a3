import type { Clock } from '../../clock.ts';
import type { Body } from '../entry.ts';
import { lifetimeMs } from '../lifetime.ts';
import type { MemoryTier } from './tier.ts';

/**
 * @param key a cache key
 * @param since when the reading of its body began, in milliseconds on the monotonic clock
 * @returns whether the body may answer a read by id, if no invalidation ended it
 */
export type Covers = (key: string, since: number) => boolean;

/** What memory holds, as far as it may be used. */
export class TrustedMemory {
  readonly #memory: MemoryTier | null;
  readonly #covers: Covers;
  readonly #ttlMs: number;
  readonly #clock: Clock;

  /**
   * @param memory what is held; `null` where nothing is
   * @param covers what reads by id may believe
   * @param ttlMs how long a body answers reads by id, give or take a tenth, in milliseconds
   * @param clock the time
   */
  constructor(memory: MemoryTier | null, covers: Covers, ttlMs: number, clock: Clock) {
    this.#clock = clock;
    this.#memory = memory;
    this.#covers = covers;
    this.#ttlMs = ttlMs;
  }

  /**
   * @param key the cache key
   * @param version the version that a list named; `null` when none did
   * @returns the body, `null` when there is no such entity; `undefined` when memory cannot say
   */
  recall(key: string, version: string | null): Body | null | undefined {
    const held = this.#memory?.get(key);
    if (held === undefined) return undefined;
    // However old a body is, the version that a list named means that it is the row.
    if (version !== null) return held.body?.version === version ? held.body : undefined;
    return this.#covers(key, held.since) && this.#clock.now() < held.until ? held.body : undefined;
  }

  /**
   * @param key the cache key
   * @returns the version of the body that is held, `null` where it is known that there is none; `undefined` when nothing is held
   */
  versionOf(key: string): string | null | undefined {
    const held = this.#memory?.get(key);
    return held === undefined ? undefined : (held.body?.version ?? null);
  }

  /**
   * Keeps what was read.
   *
   * @param key the cache key
   * @param body what was read; `null` when there is no such entity
   * @param since when its reading began, in milliseconds on the monotonic clock
   */
  keep(key: string, body: Body | null, since: number): void {
    this.#memory?.set(key, body, since, since + lifetimeMs(body, this.#ttlMs));
  }

  /**
   * Keeps what a list brought along, for lists alone: what was invalidated meanwhile is not known.
   *
   * @param key the cache key
   * @param body what was brought
   */
  keepForLists(key: string, body: Body): void {
    if (this.#memory?.get(key)?.body?.version === body.version) return;
    this.#memory?.set(key, body, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY);
  }

  /** @param key the cache key to forget */
  forget(key: string): void {
    this.#memory?.delete(key);
  }

  /** Forgets everything. */
  clear(): void {
    this.#memory?.clear();
  }
}
