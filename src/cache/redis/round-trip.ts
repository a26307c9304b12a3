import type { RedisWork, Trace } from '../../trace/trace.ts';

/** What a round trip brought, and what it made Redis do. */
export interface Brought<T> extends RedisWork {
  readonly answer: T;
}

/**
 * Does one round trip to Redis, and counts it however it ends.
 *
 * @param name the command that it is about, such as `MGET`
 * @param keys the keys that it is about
 * @param send sends it and waits for the answer
 * @param trace the request's trace, or one for what no request asked for
 * @returns what it brought
 * @throws what `send` throws
 */
export async function roundTrip<T>(
  name: string,
  keys: readonly string[],
  send: () => Promise<Brought<T>>,
  trace: Trace,
): Promise<T> {
  const started = trace.clock.now();
  let brought: Brought<T> | null = null;
  try {
    brought = await send();
    return brought.answer;
  } finally {
    trace.roundTrip(name, keys, started, brought);
  }
}
