import type { Database, Send } from './client.ts';

/** How many texts are remembered. */
const MOST = 1000;

/**
 * Makes sure that only a replica answers statements. A promoted replica has a history of its own, in which the versions of rows mean
 * something else. The statement itself asks whether the server replays a log, and fails where it does not. So no answer of a promoted
 * server gets through, even before the promotion is noticed.
 *
 * @param database a replica
 * @returns the same, for statements that read
 */
export function standbyOnly(database: Database): Database {
  const guarded = new Map<string, string>();
  const guard = (text: string): string => {
    let own = guarded.get(text);
    if (own === undefined) {
      own = `select r.* from (${text}) r where pg_is_wal_replay_paused() is not null`;
      if (guarded.size < MOST) guarded.set(text, own);
    }
    return own;
  };
  const query: Send = (text, ...more) => database.query(guard(text), ...more);
  return { ...database, query };
}
