import { ReplyError } from 'ioredis';

/**
 * An ACL, a full memory or a replica refuses the same command for every request, and Redis may name another key each time.
 *
 * @param error what a store threw
 * @returns what is the same of a refusal of Redis each time, its code and the command; `null` for any other error
 */
export function refusalOf(error: Error): string | null {
  if (!(error instanceof ReplyError)) return null;
  const [code = ''] = error.message.split(' ', 1);
  return `${code} ${commandOf(error)}`;
}

/** The name of the refused command, which ioredis adds to the error. */
function commandOf(error: Error): string {
  const { command } = error as { command?: { name?: unknown } };
  return String(command?.name ?? '');
}
