import DataLoader from 'dataloader';
import { DatabaseUnavailable } from '../db/errors.ts';

/** How what requests ask for is read. */
export interface Reads<Group, Answer> {
  /** Reads what several ask for by one statement; answers in order. */
  together(groups: readonly Group[]): Promise<Answer[]>;
  /** Reads what one of them asks for by a statement of its own. */
  apart(group: Group): Promise<Answer>;
  /** Told when what was asked for so far is about to be read: who asks from now on comes too late for it. */
  sent?(): void;
}

/** How many groups share a statement at most: whoever is in it waits for all of it. */
const MAX_GROUPS = 16;

/**
 * Lets what is asked for in one turn of the event loop share statements. To send a statement and to begin it costs either side more
 * than to read a few rows. What is asked for alone waits for nothing else, and when a shared statement is refused, each group is read
 * on its own, so that nobody fails by another's fault; Postgres being away is nobody's.
 *
 * @param reads how to read several groups, and how to read one
 * @returns reads a group, perhaps together with others; throws what the reading throws
 */
export function byTurn<Group, Answer>({
  together,
  apart,
  sent,
}: Reads<Group, Answer>): (group: Group) => Promise<Answer> {
  const loader = new DataLoader<Group, Answer>(
    async (groups) => {
      sent?.();
      if (groups.length === 1) return Promise.all(groups.map(apart));
      try {
        return await together(groups);
      } catch (error) {
        if (error instanceof DatabaseUnavailable) throw error;
        return Promise.all(groups.map((group) => apart(group).catch((reason: Error) => reason)));
      }
    },
    { cache: false, maxBatchSize: MAX_GROUPS, batchScheduleFn: (send) => void setImmediate(send) },
  );
  return (group) => loader.load(group);
}
