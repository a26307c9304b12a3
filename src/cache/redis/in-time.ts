import type { Clock } from '../../clock.ts';

/**
 * Waits for an answer of Redis for a limited time. The client's own limit uses no clock that a test can drive. A late answer is dropped:
 * the client still knows the question that it belongs to.
 *
 * @param clock the time
 * @param ms the longest wait, in milliseconds
 * @param answer what is awaited
 * @returns the answer
 * @throws the answer's error, or `Command timed out` when it takes longer
 */
export function inTime<T>(clock: Clock, ms: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = clock.after(ms, () => reject(new Error('Command timed out')));
    answer.then(
      (value) => {
        stop();
        resolve(value);
      },
      (error) => {
        stop();
        reject(error);
      },
    );
  });
}
