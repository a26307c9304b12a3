import { ReplyError } from 'ioredis';
import type { Clock } from '../clock.ts';

/** How long a refusal that goes on is not told again. */
const PAUSE_MS = 3_600_000;

/**
 * Lets each refusal of Redis be told once and not each time: what an ACL, a full memory or a replica refuses, it refuses to every
 * request.
 *
 * @param onError told of all else, and of the first refusal of its kind in an hour
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

/** The name of the command that was refused, as ioredis notes it on the error. */
function commandOf(error: Error): string {
  const { command } = error as { command?: { name?: unknown } };
  return String(command?.name ?? '');
}
