import { PlanOutdated } from './errors.ts';

/** How often something is tried: one change of a table may follow another. */
const ATTEMPTS = 3;

/**
 * Does something, and does it again when a plan was outdated. The connections of before are gone by then.
 *
 * @param attempt what to do, of which nothing is left when it fails so
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
