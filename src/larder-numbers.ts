import {
  BYTES,
  CONNECTIONS,
  COUNT,
  DRAIN_MS,
  expectNumber,
  expectWhole,
  MILLISECONDS,
  SHARE,
  YEAR_SECONDS,
} from './number-range.ts';
import { WrongValue } from './wrong-value.ts';

/** Times in milliseconds. */
interface Times {
  readonly maxStalenessMs: number;
  readonly memoryTtlMs: number;
  readonly [name: string]: number;
}

/** How much is used and kept, and for how long. */
interface Amounts {
  readonly poolSize: number;
  readonly ttlMs: number;
  readonly memoryMaxEntries: number;
  readonly memoryMaxBytes: number | undefined;
  readonly selfAuditRate: number;
}

/**
 * @param times how long a Larder waits
 * @param amounts how much it uses and keeps
 * @throws {RangeError} naming the number that is out of range
 */
export function checkNumbers(times: Times, amounts: Amounts): void {
  const { poolSize, ttlMs, memoryMaxEntries, memoryMaxBytes, selfAuditRate } = amounts;
  for (const [name, ms] of Object.entries(times)) expectWhole(name, ms, MILLISECONDS);
  // With less time, Redis would never be certified, and nobody would notice.
  expectWhole('maxStalenessMs', times.maxStalenessMs, { from: times.memoryTtlMs + DRAIN_MS, to: MILLISECONDS.to });
  expectWhole('poolSize', poolSize, CONNECTIONS);
  expectNumber('selfAuditRate', selfAuditRate, SHARE);
  expectWhole('ttlMs', ttlMs, { from: 1, to: YEAR_SECONDS * 1000 });
  expectWhole('memoryMaxEntries', memoryMaxEntries, COUNT);
  if (memoryMaxBytes !== undefined) expectWhole('memoryMaxBytes', memoryMaxBytes, BYTES);
}

/**
 * Adds the name of the option to its error.
 *
 * @param option what the option is called
 * @param read reads it
 * @returns what was read
 * @throws {WrongValue} naming it
 */
export function named<T>(option: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    throw new WrongValue(`${option}: ${error.message}`, { cause: error });
  }
}
