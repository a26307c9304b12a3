import type { Clock } from '../../clock.ts';

/**
 * Waits for an answer of Redis, but not for long. The client has a time limit of its own, which goes by no clock that can be handed in.
 * What comes later is dropped: the client takes it for the answer to the same question still.
 *
 * @param clock the time
 * @param ms how long to wait, in milliseconds
 * @param answer what is waited for
 * @returns the answer
 * @throws what the answer rejects with, and `Command timed out` when it takes longer
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
