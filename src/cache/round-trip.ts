import { Trace } from '../trace/trace.ts';

/** What a round trip brought, and how many commands it made Redis run, those inside of scripts included. */
export interface Brought<T> {
  readonly commands: number;
  readonly answer: T;
}

/** Counts what is done for no request, so that it is told to the channels, too. */
const upkeep = new Trace();

/**
 * Does one round trip to Redis, and counts it however it ends.
 *
 * @param name the command that it is about, such as `MGET`
 * @param keys how many keys it is about
 * @param send sends it and waits for the answer
 * @param trace the request's trace; left out for what no request asked for
 * @returns what it brought
 * @throws what `send` throws
 */
export async function roundTrip<T>(
  name: string,
  keys: number,
  send: () => Promise<Brought<T>>,
  trace: Trace = upkeep,
): Promise<T> {
  const started = performance.now();
  let commands: number | null = null;
  try {
    const brought = await send();
    commands = brought.commands;
    return brought.answer;
  } finally {
    trace.roundTrip(name, keys, started, commands);
  }
}
