/** Chance that comes again: the same seed, the same choices. */
export interface Random {
  /** @returns a number from 0 up to, but not including, 1 */
  next(): number;
  /** @returns an integer from 0 up to, but not including, `count` */
  below(count: number): number;
  /** @returns whether something of that probability happens */
  chance(probability: number): boolean;
  /** @returns one of the items */
  pick<T>(items: readonly T[]): T;
  /** @returns another source, for a part of its own: what one part draws does not change what another one gets */
  fork(): Random;
}

/**
 * The seed of this run: RACE_SEED, else another one each time.
 *
 * @returns an unsigned 32-bit integer
 */
export function raceSeed(): number {
  const given = process.env.RACE_SEED;
  if (given === undefined || given === '') return Math.floor(Math.random() * 2 ** 32);
  const seed = Number(given);
  if (!Number.isInteger(seed)) throw new RangeError(`RACE_SEED: expected an integer, got ${given}`);
  return seed >>> 0;
}

/**
 * Makes a source of chance (Mulberry32).
 *
 * @param seed where it starts
 * @returns the source
 */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number) => Math.floor(next() * count);
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick: <T>(items: readonly T[]) => items[below(items.length)] as T,
    fork: () => createRandom(below(2 ** 32)),
  };
}
