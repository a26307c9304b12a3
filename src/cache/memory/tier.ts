import { LRUCache } from 'lru-cache';
import type { Body } from '../entry.ts';
import { bytesOf } from './size.ts';

/** A body in this process' memory. */
export interface Held {
  /** `null` for an entity known not to exist. */
  readonly body: Body | null;
  /** When its reading began, in milliseconds on the monotonic clock. */
  readonly since: number;
  /** When it stops answering reads by id, in any case, in milliseconds on the monotonic clock. */
  readonly until: number;
  /** Its approximate size in memory, in bytes. */
  readonly bytes: number;
}

/** How much memory keeps. The least recently used goes first. */
export interface MemoryLimits {
  /** The most bodies. */
  readonly entries: number;
  readonly bytes: number;
}

/** How much there is in memory. */
export interface MemoryUse {
  readonly entries: number;
  readonly bytes: number;
}

/** Negatives may have a tenth as many entries as bodies, and a sixteenth of their bytes. */
const NEGATIVES = { entries: 1 / 10, bytes: 1 / 16 };

/**
 * The tier in this process' memory, limited by the number of bodies and by their bytes. The cache decides what its bodies may be used for.
 * Negatives have limits of their own, so that asking for many unknown ids does not evict bodies.
 */
export class MemoryTier {
  readonly #bodies: LRUCache<string, Held>;
  readonly #negatives: LRUCache<string, Held>;

  /** @param limits how much is kept */
  constructor({ entries, bytes }: MemoryLimits) {
    const negatives = { entries: Math.ceil(entries * NEGATIVES.entries), bytes: Math.ceil(bytes * NEGATIVES.bytes) };
    this.#bodies = room({ entries, bytes: bytes - negatives.bytes });
    this.#negatives = room(negatives);
  }

  /**
   * @param key the cache key
   * @returns what is held under it; `undefined` for nothing
   */
  get(key: string): Held | undefined {
    return this.#bodies.get(key) ?? this.#negatives.get(key);
  }

  /**
   * @param key the cache key
   * @param body what was read; `null` when there is no such entity
   * @param since when its reading began, in milliseconds on the monotonic clock
   * @param until when it stops answering reads by id, in milliseconds on the monotonic clock
   */
  set(key: string, body: Body | null, since: number, until: number): void {
    if (body === null) {
      this.#bodies.delete(key);
      this.#negatives.set(key, { body, since, until, bytes: bytesOf(body) });
      return;
    }
    this.#negatives.delete(key);
    const before = this.#bodies.get(key);
    // Replacing a body by an equal one would only make garbage.
    const held = before?.body?.version === body.version ? before : { body, bytes: bytesOf(body) };
    this.#bodies.set(key, { body: held.body, since, until, bytes: held.bytes });
  }

  /** @param key the cache key to forget */
  delete(key: string): void {
    this.#bodies.delete(key);
    this.#negatives.delete(key);
  }

  /** @returns how much there is of bodies, and of negatives */
  use(): { readonly bodies: MemoryUse; readonly negatives: MemoryUse } {
    return { bodies: useOf(this.#bodies), negatives: useOf(this.#negatives) };
  }

  /** Forgets everything. */
  clear(): void {
    this.#bodies.clear();
    this.#negatives.clear();
  }
}

function room({ entries, bytes }: MemoryLimits): LRUCache<string, Held> {
  return new LRUCache({ max: entries, maxSize: Math.max(1, bytes), sizeCalculation: ({ bytes: size }) => size });
}

function useOf(held: LRUCache<string, Held>): MemoryUse {
  return { entries: held.size, bytes: held.calculatedSize };
}
