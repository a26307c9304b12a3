import { sleep, systemClock } from '../../clock.ts';

/**
 * Waits until something is so, for what has no event to wait for.
 *
 * @param isSo tells whether it is so
 * @param ms how long to wait at most, in milliseconds
 * @param pollMs how long to wait before asking again, in milliseconds
 * @returns whether it came to be so in time
 * @throws what `isSo` throws
 */
export async function comesTrue(isSo: () => boolean | Promise<boolean>, ms: number, pollMs: number): Promise<boolean> {
  const deadline = systemClock.now() + ms;
  while (!(await isSo())) {
    if (systemClock.now() >= deadline) return false;
    await sleep(systemClock, pollMs);
  }
  return true;
}
