import { sql } from 'drizzle-orm';
import { statement } from '../postgres/statement.ts';
import type { RunInTransaction } from '../postgres/transaction.ts';
import type { Change } from './outbox.ts';

/** Deferred triggers run here and not within the function, which has a search path and other settings of its own. */
const settle = statement<object>('CacheOutbox.settle', sql`set constraints all immediate /* cache_outbox */`);

const own = statement<Change>(
  'CacheOutbox.own',
  sql`select entity, id::text as id from cache_outbox_own(${sql.placeholder('most')}::bigint)`,
);

/**
 * Runs the deferred triggers of a transaction, and reads what it has changed. Both are sent at once.
 *
 * @param run runs statements in the transaction
 * @param most how many changes to read
 * @returns the first so many
 * @throws as `run` does, also what a deferred trigger refuses
 */
export async function ownChanges(run: RunInTransaction, most: number): Promise<Change[]> {
  const [, changes] = await Promise.all([run(settle, {}), run(own, { most })]);
  return changes;
}
