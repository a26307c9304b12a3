import { sleep } from '../clock.ts';
import type { Database } from './client.ts';

/** How long a refusal takes at most, in milliseconds: a connection that cannot be made fails sooner than one that is busy answers. */
const REFUSAL_MS = 100;

/**
 * Asks whether Postgres answers requests. Slow statements may keep all of their connections busy. Then another connection to the same server
 * tells, unless requests are refused, as where Postgres gives no more connections.
 *
 * @param database asked by requests
 * @param aside another way to the same Postgres
 * @returns whether it answers within a second; as soon as that is known
 */
export function isAnswering(
  database: Pick<Database, 'ping' | 'clock'>,
  aside: Pick<Database, 'ping'>,
): Promise<boolean> {
  const own = database.ping();
  const other = aside.ping().then((answers) => (answers ? sleep(database.clock, REFUSAL_MS).then(() => true) : own));
  return Promise.race([own, other]);
}
