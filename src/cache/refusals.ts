import { ReplyError } from 'ioredis';
import type { Clock } from '../clock.ts';

/** How long a continuing refusal is not reported again, in milliseconds. */
const PAUSE_MS = 3_600_000;

/**
 * Reports each refusal of Redis once. An ACL, a full memory or a replica refuses the same command for every request.
 *
 * @param onError told of all other errors, and of the first refusal of its kind in an hour
 * @param clock the time
 * @returns takes errors
 */
export function refusalsOnce(onError: (error: Error) => void, clock: Clock): (error: Error) => void {
  const told = new Map<string, number>();
  return (error) => {
    if (error instanceof ReplyError) {
      const [code = ''] = error.message.split(' ', 1);
      const kind = `${code} ${commandOf(error)}`;
      const last = told.get(kind);
      if (last !== undefined && clock.now() - last < PAUSE_MS) return;
      told.set(kind, clock.now());
    }
    onError(error);
  };
}

/** The name of the refused command, which ioredis adds to the error. */
function commandOf(error: Error): string {
  const { command } = error as { command?: { name?: unknown } };
  return String(command?.name ?? '');
}
