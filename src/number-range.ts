/** The least and the greatest value of a setting. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** A time to wait: a day at most. Node's timers take more than 25 days for one millisecond, and Postgres refuses it. */
export const MILLISECONDS: NumberRange = { from: 1, to: 86_400_000 };

/** How many things memory may keep. Room for all of them is allocated at once. */
export const COUNT: NumberRange = { from: 0, to: 10_000_000 };

/** How many connections to Postgres reads may share. */
export const CONNECTIONS: NumberRange = { from: 1, to: 1000 };

/** A share of a whole. */
export const SHARE: NumberRange = { from: 0, to: 1 };

/** How many bytes memory may take. The limit is more than any machine has, and still exact. */
export const BYTES: NumberRange = { from: 0, to: 2 ** 50 };

/** The longest time that anything is kept. */
export const YEAR_SECONDS = 31_536_000;

/** The longest body that may be read. V8's longest text is hardly twice as long. */
export const MAX_BODY_BYTES = 268_435_456;

/** The part of the bound on staleness that draining the outbox and writing the heartbeat needs. */
export const DRAIN_MS = 1000;

/**
 * @param name the name of the setting
 * @param value the number
 * @param range its range
 * @throws {RangeError} naming it, when it is no whole number in the range
 */
export function expectWhole(name: string, value: number, { from, to }: NumberRange): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  throw new RangeError(`${name}: expected a whole number from ${from} to ${to}, got ${value}.`);
}

/**
 * @param name the name of the setting
 * @param value the number
 * @param range its range
 * @throws {RangeError} naming it, when it is no number in the range
 */
export function expectNumber(name: string, value: number, { from, to }: NumberRange): void {
  if (typeof value === 'number' && value >= from && value <= to) return;
  throw new RangeError(`${name}: expected a number from ${from} to ${to}, got ${value}.`);
}
