import { type Clock, sleep, systemClock } from '../clock.ts';

/**
 * How long a statement of a migration waits for a lock, in milliseconds. Whoever wants to read the table waits behind the migration. So it
 * gives up early, lets them through and tries again.
 */
export const LOCK_WAIT_MS = 1000;

/** How often a migration is tried, and how long the pause after each try is, in milliseconds. That is some two minutes in all. */
const TRIES = 40;
const PAUSE_MS = 2000;

/** Postgres' code for a lock that was not available in time. */
export const LOCK_NOT_AVAILABLE = '55P03';

/** Postgres' code for two transactions that wait for each other, of which it ended this one. */
export const DEADLOCK = '40P01';

/** The database was not migrated, and is as it was before. The message says why, and shows the statement where there is one. */
export class MigrationError extends Error {
  override name = 'MigrationError';
}

/** How patient a migration is with others' locks. */
export interface LockOptions {
  /** How often it is tried. */
  readonly tries?: number;
  readonly clock?: Clock;
}

/**
 * Runs a migration, and runs it again when others held a lock for too long. A failed try is rolled back as a whole.
 *
 * @param log receives a line for each try that met a lock
 * @param options how patient to be
 * @param migrate migrates, in one transaction
 * @returns what `migrate` returns
 * @throws {MigrationError} when each try met a lock
 */
export async function withLocks<T>(
  log: (line: string) => void,
  { tries = TRIES, clock = systemClock }: LockOptions,
  migrate: () => Promise<T>,
): Promise<T> {
  for (let n = 1; ; n += 1) {
    try {
      return await migrate();
    } catch (error) {
      if (!(error instanceof LockTaken)) throw error;
      if (n === tries) {
        throw new MigrationError(
          `${error.message} ${tries} times in a row. All of it was rolled back.\n` +
            'Find out who holds the lock (select pid, query from pg_stat_activity where xact_start is not null order by xact_start),\n' +
            'let it end or end it, then migrate again.',
          { cause: error },
        );
      }
      log(`${error.message}: rolled back so that nobody waits behind it. Trying again (${n + 1} of ${tries}).`);
      await sleep(clock, PAUSE_MS);
    }
  }
}

/** Somebody else holds a lock. */
export class LockTaken extends Error {
  override name = 'LockTaken';
}
