import type { Sql, TransactionSql } from 'postgres';
import type { History, Writing } from './history.ts';
import type { LarderProcess } from './process.ts';
import { type Change, deleteRow, insertRow, keyOf, updateRow } from './rows.ts';
import { across, open, type Seam } from './seams.ts';

/** What a write goes through: the database alone, as psql does, or the database and then a process' invalidation. */
export type Via = 'psql' | LarderProcess;

/** Keeps writes of one row in the order in which the history has them. */
export class Locks {
  readonly #tails = new Map<string, Promise<void>>();

  /**
   * Waits for locks and takes them.
   *
   * @param keys what to lock
   * @returns a function that gives them back
   */
  async take(keys: readonly string[]): Promise<() => void> {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const before = keys.map((key) => this.#tails.get(key));
    // All at once and without a pause, so that two writers never wait for each other.
    for (const [i, key] of keys.entries())
      this.#tails.set(
        key,
        Promise.all([before[i], released]).then(() => {}),
      );
    await Promise.all(before);
    return release;
  }
}

/** A write: what is changed, where, and who is told. */
export interface Commit {
  readonly sql: Sql;
  readonly history: History;
  readonly locks: Locks;
  readonly via: Via;
  readonly changes: readonly Change[];
  /** What the transaction passes, and what lies between its commit and the invalidation. */
  readonly seam?: Seam;
}

/**
 * Commits changes, in the order that the history has, and lets a process tell all others if it is an API write.
 *
 * @param write the write
 */
export async function commit({ sql, history, locks, via, changes, seam = open }: Commit): Promise<void> {
  const release = await locks.take(changes.map(({ row }) => keyOf(row)));
  const work = async () => {
    let writings: Writing[] = [];
    try {
      await sql.begin(async (transaction) => {
        const marks: (string | null)[] = [];
        for (const change of changes) marks.push(await apply(transaction, history, change));
        writings = changes.map(({ row }, i) => history.writing(keyOf(row), marks[i] ?? null));
      });
      for (const writing of writings) writing.committed();
    } finally {
      release();
    }
    return writings;
  };
  const writings = await across(seam, 'write', work);
  if (via === 'psql') return;
  try {
    await via.cache.invalidate(
      changes.map(({ row }) => row),
      true,
    );
  } catch (error) {
    // As the repository does it: what is committed has not failed, and the outbox has it.
    via.storage.onInvalidationFailed(error instanceof Error ? error : new Error(String(error)));
    return;
  }
  for (const writing of writings) writing.answered();
}

/** Thrown to roll back. */
export class Undone extends Error {}

/**
 * Waits for the end of a transaction that is to be rolled back.
 *
 * @param transaction one that throws `Undone`
 * @throws what else it throws
 */
export async function undone(transaction: Promise<unknown>): Promise<void> {
  try {
    await transaction;
  } catch (error) {
    if (!(error instanceof Undone)) throw error;
  }
}

/** Does one change within a transaction, and returns what the row then holds. */
async function apply(transaction: TransactionSql, history: History, change: Change): Promise<string | null> {
  const { row } = change;
  const key = keyOf(row);
  if (change.delete) {
    await deleteRow(transaction, row);
    return null;
  }
  const mark = history.mark(key);
  if (history.newest(key) === null) await insertRow(transaction, row, mark, change.brand);
  else await updateRow(transaction, row, mark);
  return mark;
}
