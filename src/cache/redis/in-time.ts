import type { Clock } from '../../clock.ts';

/**
 * Waits for an answer of Redis for a limited time. The client's own limit uses no clock that a test can drive. A late answer is dropped:
 * the client still knows the question that it belongs to.
 *
 * A process that stood still comes back to its timers before it reads what has arrived meanwhile, and before it sends what was to be sent.
 * So a timer that is late itself says nothing of Redis. It runs once more, for as long as it was late and not longer than the limit.
 *
 * @param clock the time
 * @param ms the longest wait, in milliseconds
 * @param answer what is awaited
 * @returns the answer
 * @throws the answer's error, or `Command timed out` when it takes longer
 */
export function inTime<T>(clock: Clock, ms: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const due = clock.now() + ms;
    const fail = () => reject(new Error('Command timed out'));
    let stop = clock.after(ms, () => {
      const late = Math.min(clock.now() - due, ms);
      if (late <= 0) return fail();
      stop = clock.after(late, fail);
    });
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
