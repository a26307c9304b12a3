import { identityMap, type Scope } from '../bodies/scope.ts';
import type { Change } from '../outbox/outbox.ts';
import { ownChanges } from '../outbox/own-changes.ts';
import type { Statement } from '../postgres/statement.ts';
import { transaction } from '../postgres/transaction.ts';
import { errorOf } from '../reason-of.ts';
import type { Storage } from './storage.ts';

/** The most changes of one transaction that every process forgets before the write returns. The drainer invalidates the rest. */
const MOST = 10_000;

/** The result of a write. */
export interface Written<Row> {
  readonly rows: Row[];
  /**
   * Makes every process forget what the transaction changed.
   *
   * @param own what it certainly changed, in case its table has no triggers
   */
  forget(...own: Change[]): Promise<void>;
  /**
   * @param entity the name of an entity
   * @param id an id of that entity
   * @returns whether a trigger or the like has changed its row again after the statement; then the row here is not the newest
   */
  changedAgain(entity: string, id: string): boolean;
}

/**
 * Runs one statement in a transaction, and reads what else it changed: rows of other tables, by foreign keys that cascade and by triggers,
 * deferred ones included.
 *
 * @param storage where rows and bodies are
 * @param statement the statement
 * @param values its parameters, by placeholder
 * @param scope the state of the request, which forgets what changed
 * @returns what was written, committed
 * @throws as `run` does
 */
export async function write<Row extends object>(
  storage: Storage,
  statement: Statement<Row>,
  values: Record<string, unknown>,
  scope: Scope,
): Promise<Written<Row>> {
  const [rows, changes] = await transaction(
    storage.database,
    statement.name,
    // All are sent at once. Postgres answers in order, and refuses what comes after one that has failed.
    (run) => Promise.all([run(statement, values), ownChanges(run, MOST)]),
    scope.trace,
  );
  const noted = noteWrite(storage, scope);
  const times = new Map<string, number>();
  const changed: Change[] = [];
  for (const change of changes) {
    const key = keyOf(change.entity, change.id);
    const before = times.get(key) ?? 0;
    times.set(key, before + 1);
    if (before > 0) continue;
    changed.push(change);
    identityMap(scope, change.entity).delete(change.id);
  }
  if (changed.length > 0) scope.hasWritten = true;
  return {
    rows,
    forget: async (...own) => {
      changed.push(...own.filter(({ entity, id }) => !times.has(keyOf(entity, id))));
      await Promise.all([noted, forgetChanged(storage, changed)]);
    },
    changedAgain: (entity, id) => (times.get(keyOf(entity, id)) ?? 0) > 1,
  };
}

/**
 * Lets what a request reads from now on see what it has written, at whichever server of Postgres. Without replicas that costs nothing.
 *
 * @param storage where rows are
 * @param scope the request's scope
 */
export async function noteWrite({ replicas }: Pick<Storage, 'replicas'>, scope: Scope): Promise<void> {
  if (replicas === undefined) return;
  scope.fromPrimary = true;
  const position = await replicas.position(scope.trace);
  // The answers to several writes of a request may come in another order.
  if (scope.position === null || position > scope.position) scope.position = position;
}

/**
 * Makes every process forget what was committed.
 *
 * @param storage where bodies are
 * @param changed the changes, each once
 */
export async function forgetChanged(
  { cache, onInvalidationFailed }: Pick<Storage, 'cache' | 'onInvalidationFailed'>,
  changed: readonly Change[],
): Promise<void> {
  try {
    await cache.invalidate(changed, true);
  } catch (error) {
    // The rows are committed, so the write has not failed. The outbox holds their ids until Redis takes the invalidation.
    onInvalidationFailed(errorOf(error));
  }
}

function keyOf(entity: string, id: string): string {
  return `${entity}-${id}`;
}
