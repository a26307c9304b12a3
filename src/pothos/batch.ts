import type { LarderContext } from '../repository/context.ts';

/** What a request is about to ask for together. */
interface Batch<Key, Answer> {
  readonly keys: Key[];
  /** In the order of the keys. */
  readonly answers: Promise<Answer[]>;
}

/**
 * Asks for something together with all else of its kind that the request asks for until a moment: siblings of any parent, limit and cursor
 * share one list statement and one read of bodies, and those asked for by id one read. There is one promise for the batch: one for each
 * key, and what settles it, was a twentieth of the CPU time of the wide query.
 *
 * @param context the request's context
 * @param kind what is asked for, which nothing else is collected under
 * @param key what is asked for of it
 * @param schedule calls back at the moment
 * @param read answers keys, in order
 * @returns the answers of the batch, and which of them is to this key
 */
export function batched<Key, Answer>(
  { collected }: LarderContext,
  kind: unknown,
  key: Key,
  schedule: (callback: () => void) => void,
  read: (keys: readonly Key[]) => Promise<Answer[]>,
): { readonly answers: Promise<Answer[]>; readonly index: number } {
  // What is collected under a kind is of its own types.
  let batch = collected.get(kind) as Batch<Key, Answer> | undefined;
  if (batch === undefined) {
    const keys: Key[] = [];
    const answers = new Promise<void>(schedule).then(() => {
      collected.delete(kind);
      return read(keys);
    });
    batch = { keys, answers };
    collected.set(kind, batch);
  }
  return { answers: batch.answers, index: batch.keys.push(key) - 1 };
}
