import { sleep } from '../clock.ts';
import type { Database } from './client.ts';

/** How long it takes at most, in milliseconds, that Postgres answers a connection which is not busy, or refuses a new one. */
const PROMPT_MS = 100;

/**
 * Asks whether Postgres answers requests. Slow statements may keep all of their connections busy. Then another connection to the same server
 * tells, unless requests are refused, as where Postgres gives no more connections.
 *
 * @param database asked by requests
 * @param aside another way to the same Postgres
 * @returns whether it answers within a second; as soon as that is known
 */
export async function isAnswering(
  database: Pick<Database, 'ping' | 'clock'>,
  aside: Pick<Database, 'ping'>,
): Promise<boolean> {
  const own = database.ping();
  const prompt = await Promise.race([own, sleep(database.clock, PROMPT_MS).then(() => null)]);
  return prompt ?? Promise.race([own, aside.ping().then((answers) => answers || own)]);
}
