import { PlanOutdated } from './errors.ts';

/** How often it is tried, since one change of a table may follow another. */
const ATTEMPTS = 3;

/**
 * Runs an attempt, and runs it again when a plan was outdated. The connections with that plan are gone by then.
 *
 * @param attempt leaves nothing behind when it fails so
 * @returns what it returns
 * @throws what it throws
 */
export async function planAnew<T>(attempt: () => Promise<T>): Promise<T> {
  for (let n = 1; ; n += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof PlanOutdated) || n === ATTEMPTS) throw error;
    }
  }
}
