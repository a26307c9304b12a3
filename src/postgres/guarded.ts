import type { Trace } from '../trace/trace.ts';
import type { Database } from './client.ts';
import { GRACE_MS } from './connection.ts';
import { DatabaseUnavailable, databaseError } from './errors.ts';
import { type Gate, GateClosed } from './gate.ts';

/**
 * Takes a place at each gate while an action is under way, and limits the time. The limit is that of a statement, with its wait for places,
 * or the rest of the request's time when that is less. `statement_timeout` is Postgres' own limit. It does not help against a stopped
 * backend, a silent network or a busy pool, so the wait is limited here, too.
 *
 * @param database the database whose limits apply
 * @param gates the gates, in this order
 * @param name the action's name in errors
 * @param trace the request's trace, which knows how long the request has taken
 * @param action the action; its argument tells whether the time is over
 * @returns what the action returns
 * @throws {DatabaseUnavailable} when there is no place, or the time is over
 * @throws what the action throws, as `databaseError` classifies it
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
  // The places stay taken while Postgres has the work, even when the time is over.
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

/** Enters gates one after the other, and returns a function that leaves them. */
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
