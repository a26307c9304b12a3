import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';

/** How long to wait. */
export interface WaitLimits {
  readonly clock: Clock;
  /** In milliseconds. */
  readonly ms: number;
  readonly signal: AbortSignal;
}

/**
 * Waits for an event of a socket.
 *
 * @param socket the socket
 * @param event the event, such as `connect`
 * @param limits how long to wait
 * @returns the event's arguments
 * @throws the socket's error, or an error with the code ETIMEDOUT or ECONNRESET when the event does not come in time
 */
export function occurs(socket: Socket, event: string, { clock, ms, signal }: WaitLimits): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      stop();
      signal.removeEventListener('abort', aborted);
      socket.off(event, came).off('error', failed).off('close', closed);
      finish();
    };
    const came = (value: unknown) => settle(() => resolve(value));
    const failed = (error: Error) => settle(() => reject(error));
    const closed = () => failed(withCode('ECONNRESET', 'it closed the connection'));
    const aborted = () => failed(withCode('ECONNABORTED', 'the attempt was given up'));
    const stop = clock.after(ms, () => failed(withCode('ETIMEDOUT', `no answer in ${ms} ms`)));
    socket.on(event, came).on('error', failed);
    if (event !== 'close') socket.on('close', closed);
    signal.addEventListener('abort', aborted);
    if (signal.aborted) aborted();
  });
}

function withCode(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
