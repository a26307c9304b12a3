import type { RedisWork, Trace } from '../../trace/trace.ts';

/** The answer of a round trip, and what Redis did for it. */
export interface Brought<T> extends RedisWork {
  readonly answer: T;
}

/**
 * Does one round trip to Redis, and counts it, whether or not it fails.
 *
 * @param name the main command, such as `MGET`
 * @param keys the keys of entities
 * @param send sends it, and waits for the answer
 * @param trace the request's trace, or one for work that no request asked for
 * @param node the node of a cluster that is asked; `null` for a single Redis
 * @returns the answer
 * @throws what `send` throws
 */
export async function roundTrip<T>(
  name: string,
  keys: readonly string[],
  send: () => Promise<Brought<T>>,
  trace: Trace,
  node: string | null = null,
): Promise<T> {
  const started = trace.clock.now();
  let brought: Brought<T> | null = null;
  try {
    brought = await send();
    return brought.answer;
  } finally {
    trace.roundTrip(name, keys, started, brought, node);
  }
}
