import type { Trace } from '../trace/trace.ts';
import type { Database, Send } from './client.ts';
import { planAnew } from './driver.ts';
import { DatabaseUnavailable } from './errors.ts';
import { guarded } from './gate.ts';
import { checkWanted, type Statement, send } from './statement.ts';

/** Runs a statement like `run`, within a transaction. */
export type RunInTransaction = <Row extends object>(
  statement: Statement<Row>,
  values: Record<string, unknown>,
) => Promise<Row[]>;

/**
 * Runs some statements in one transaction. It is rolled back when any of them, or `work` itself, fails.
 *
 * @param database where
 * @param name the transaction's name in metrics
 * @param work runs the statements; it runs again when a plan was outdated
 * @param trace the request's trace
 * @returns what `work` returns, committed
 * @throws as `run` does, and what `work` throws
 */
export async function transaction<T>(
  database: Database,
  name: string,
  work: (run: RunInTransaction) => Promise<T>,
  trace: Trace,
): Promise<T> {
  return guarded(database, [database.transactionGate], name, trace, async (expired) => {
    checkWanted(name, trace);
    // The failed statement came before the commit, so nothing was committed.
    return planAnew(() => attempt(database, name, work, trace, expired));
  });
}

/**
 * Like `transaction`, but `work` sends statements of any text. It runs once, whatever fails.
 *
 * @param database where
 * @param name the name of the transaction and its statements in metrics
 * @param work sends statements through the function that it is given
 * @param trace the request's trace
 * @returns what `work` returns, committed
 * @throws as `run` does, and what `work` throws
 */
export function anyTransaction<T>(
  database: Database,
  name: string,
  work: (send: Send, run: RunInTransaction) => Promise<T>,
  trace: Trace,
): Promise<T> {
  return guarded(database, [database.transactionGate], name, trace, async (expired) => {
    checkWanted(name, trace);
    return attempt(database, name, (run, send) => work(send, run), trace, expired);
  });
}

/** Runs the statements of a transaction once. */
async function attempt<T>(
  database: Database,
  name: string,
  work: (run: RunInTransaction, send: Send) => Promise<T>,
  trace: Trace,
  expired: () => boolean,
): Promise<T> {
  // BEGIN and COMMIT count as statements. Their times follow from those of the statements between.
  const started = trace.clock.now();
  let ending = '';
  let ended = started;
  let rows: number | null = 0;
  try {
    return await database.begin(async (sendWithin) => {
      trace.statement('begin', '', [], started, 0);
      ending = 'rollback';
      try {
        const done = await work((statement, values) => send(sendWithin, statement, values, trace), sendWithin);
        // The client was told that it failed, and may try again. It must not happen twice.
        if (expired()) throw new DatabaseUnavailable(`${name} took too long.`);
        ending = 'commit';
        return done;
      } finally {
        ended = trace.clock.now();
      }
    });
  } catch (error) {
    // All before it went well, so it was COMMIT that failed.
    if (ending === 'commit') rows = null;
    throw error;
  } finally {
    if (ending !== '') trace.statement(ending, '', [], ended, rows);
  }
}
