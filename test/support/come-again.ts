import { setTimeout as sleep } from 'node:timers/promises';
import { until } from './until.ts';

/**
 * Asks a server that may lag on a busy machine, and comes again where it says so.
 *
 * @param ask asks it
 * @returns its first answer that is none of 503
 * @throws what `ask` throws, and when it goes on to say 503
 */
export async function comeAgain(ask: () => Promise<Response>): Promise<Response> {
  let last = await ask();
  if (last.status !== 503) return last;
  await until('it takes requests', async () => {
    await sleep(1000);
    last = await ask();
    return last.status !== 503;
  });
  return last;
}
