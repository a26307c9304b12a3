/** The longest pause between two attempts to connect. */
const RETRY_MS = 1000;

/**
 * When to connect again, for every connection of Larder.
 *
 * @param attempt how many attempts have failed
 * @returns how long to wait, in milliseconds
 */
export function retryPause(attempt: number): number {
  return Math.min(attempt * 50, RETRY_MS);
}
