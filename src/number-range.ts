/** The least and the greatest value of a number that may be set. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** A time to wait: a day at most. Node's timers take what is longer than 25 days for a millisecond, and Postgres refuses it. */
export const MILLISECONDS: NumberRange = { from: 1, to: 86_400_000 };

/** How many things memory may keep: room for so many is made at once. */
export const COUNT: NumberRange = { from: 0, to: 10_000_000 };

/** How many bytes memory may take: more than any machine has, and still exact. */
export const BYTES: NumberRange = { from: 0, to: 2 ** 50 };

/** The longest that anything is kept. */
export const YEAR_SECONDS = 31_536_000;

/** The longest body that may be read: V8 has no text of more than twice as much. */
export const MAX_BODY_BYTES = 268_435_456;

/** What must be left of the bound on staleness for the outbox to be drained and the heartbeat to be written. */
export const DRAIN_MS = 1000;

/**
 * @param name what the number is called where it is set
 * @param value the number
 * @param range its range
 * @throws {RangeError} naming it, when it is no whole number of the range
 */
export function expectWhole(name: string, value: number, { from, to }: NumberRange): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  throw new RangeError(`${name}: expected a whole number from ${from} to ${to}, got ${value}.`);
}
