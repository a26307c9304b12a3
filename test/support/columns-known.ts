import type { Larder } from '../../src/larder-face.ts';
import { until } from './until.ts';

/**
 * Tells whether the columns of the tables are known. Before that no cache is used, and statements are counted that a test does not expect.
 *
 * @param problems what `health` or `/readyz` says is wrong
 * @returns whether that is not among it
 */
export function knowsColumns(problems: string): boolean {
  return !problems.includes('The columns of the tables are not known');
}

/**
 * Waits until a Larder knows the columns of its tables. `createLarder` itself waits for a second at most, and a busy machine may need longer.
 *
 * @param larder the Larder
 * @throws when Postgres does not tell them in time
 */
export function columnsKnown({ health }: Pick<Larder<unknown>, 'health'>): Promise<void> {
  return until('the columns are known', () => knowsColumns(health.problems().join(' ')));
}
