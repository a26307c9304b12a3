import type { Clock } from '../../clock.ts';
import { unavailable } from '../errors/send-error.ts';

/**
 * Waits for work for a limited time. Fastify has such an option, but it ends once the body of a POST has come in. The work itself goes on,
 * and so do its statements, until their own limit.
 *
 * @param clock the time
 * @param ms how long to wait, in milliseconds
 * @param work the work
 * @returns the result of the work
 * @throws {RequestRefused} 503 when it takes longer
 */
export function withinTime<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = clock.after(ms, () => reject(unavailable('The request took too long. Try again.')));
    work.then(
      (result) => {
        stop();
        resolve(result);
      },
      (error) => {
        stop();
        reject(error);
      },
    );
  });
}
