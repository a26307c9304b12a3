import type { Trace } from '../trace/trace.ts';
import type { Database } from './client.ts';
import { GRACE_MS } from './connection.ts';
import { DatabaseUnavailable, databaseError } from './errors.ts';
import { type Gate, GateClosed } from './gate.ts';

/**
 * Takes a place at each gate for as long as the action is under way, and stops waiting after the time limit: that of a
 * statement, its wait for places included, or what the request has left when that is less. `statement_timeout` is
 * Postgres' own limit and does not help against a stopped backend, a network that swallows everything or a pool where
 * others come first, so the waiting is limited here too.
 *
 * @param database whose limits hold
 * @param gates where to take a place, in this order
 * @param name what the action is called in errors
 * @param trace the request's trace, which says how long the request has been under way
 * @param action what to do; it is told by a function whether nobody waits for it any more
 * @returns what the action returns
 * @throws {DatabaseUnavailable} when there is no place, or the time limit passes
 * @throws what the action throws, as `databaseError` has it
 */
export async function guarded<T>(
  database: Database,
  gates: readonly Gate[],
  name: string,
  trace: Trace,
  action: (expired: () => boolean) => Promise<T>,
): Promise<T> {
  const { clock } = database;
  const started = clock.now();
  const untilMs = trace.started + database.requestTimeoutMs;
  const left = () => Math.min(started + database.statementTimeoutMs, untilMs) - clock.now();
  const leave = await enter(gates, left, name);
  let expired = false;
  // The places stay taken for as long as Postgres has the work, also when nobody waits for it any more.
  const answer = action(() => expired).finally(leave);
  let stop = () => {};
  const limit = new Promise<never>((_resolve, reject) => {
    stop = clock.after(Math.min(left() + GRACE_MS, untilMs - clock.now()), () => {
      expired = true;
      reject(new DatabaseUnavailable(`Postgres did not answer ${name} in time.`));
    });
  });
  try {
    return await Promise.race([answer, limit]);
  } catch (error) {
    throw databaseError(error);
  } finally {
    stop();
  }
}

/** Enters gates one after the other, and returns what leaves them. */
async function enter(gates: readonly Gate[], left: () => number, name: string): Promise<() => void> {
  const entered: Gate[] = [];
  const leave = () => {
    for (const gate of entered) gate.leave();
  };
  try {
    for (const gate of gates) {
      await gate.enter(left());
      entered.push(gate);
    }
  } catch (error) {
    leave();
    if (!(error instanceof GateClosed)) throw error;
    throw new DatabaseUnavailable(`Postgres has no place for ${name}: ${error.message}.`);
  }
  return leave;
}
