import { DrizzleQueryError } from 'drizzle-orm';
import { createScope, identityMap, type Scope } from '../bodies/scope.ts';
import type { Change } from '../outbox/outbox.ts';
import { ownChanges } from '../outbox/own-changes.ts';
import { type DrizzleTransaction, drizzleSession } from '../postgres/drizzle-session.ts';
import { anyTransaction } from '../postgres/transaction.ts';
import { Trace } from '../trace/trace.ts';
import type { Storage } from './storage.ts';
import { forgetChanged, noteWrite } from './write.ts';

/** The most changes that are invalidated before the transaction returns. The drainer invalidates the rest. */
const MOST = 1_000_000;

const NAME = 'Larder.transaction';

/**
 * Does a user's work in a transaction, and makes every process forget what it changed: rows of watched tables, also by cascades and
 * triggers.
 *
 * @param storage where rows and bodies are
 * @param work sends its statements through the transaction
 * @param scope the state of the request, which forgets what changed
 * @returns what `work` returns, committed and invalidated
 * @throws what `work` throws, or Postgres' error as `run` throws it, without SQL and values; then nothing was written
 */
export async function ownTransaction<T>(
  storage: Storage,
  work: (transaction: DrizzleTransaction) => Promise<T>,
  scope: Scope = createScope(new Trace(storage.database)),
): Promise<T> {
  // An error of the user's code is thrown as it is, even with a code that looks like a lost connection.
  let thrown: { readonly error: unknown } | null = null;
  const act = async (transaction: DrizzleTransaction) => {
    try {
      return await work(transaction);
    } catch (error) {
      thrown = { error };
      throw error;
    }
  };
  let changes: Change[] = [];
  let done: T;
  try {
    done = await anyTransaction(
      storage.database,
      NAME,
      async (send, run) => {
        const session = drizzleSession(send, NAME, scope.trace);
        const result = await act(session.transaction).finally(session.end);
        changes = await ownChanges(run, MOST);
        return result;
      },
      scope.trace,
    );
  } catch (error) {
    const cause = (thrown as { readonly error: unknown } | null)?.error ?? error;
    throw cause instanceof DrizzleQueryError && cause.cause !== undefined ? cause.cause : cause;
  }
  const noted = noteWrite(storage, scope);
  const changed = [...new Map(changes.map((change) => [`${change.entity}-${change.id}`, change])).values()];
  for (const { entity, id } of changed) identityMap(scope, entity).delete(id);
  if (changed.length > 0) scope.hasWritten = true;
  await Promise.all([noted, forgetChanged(storage, changed)]);
  return done;
}
