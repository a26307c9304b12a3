import type { Database, Send } from './client.ts';
import { asLsn, type WalPosition } from './wal-position.ts';

/** How many texts are remembered. */
const MOST = 1000;

/** Reading this setting fails, since nobody defines it. Postgres' log then names it. */
const WENT_BACK = 'larder.replica_has_gone_back';

/**
 * Makes sure that only a replica answers statements, and only one that is still as far as it was.
 *
 * A promoted replica has a history of its own, in which the versions of rows mean something else. A replica that has crashed replays again
 * from an earlier position, and answers meanwhile. A pooler may lead to another replica. So the statement itself asks for the position, and
 * whether the server replays a log. It fails where not, before it reads a row. So no such answer gets through before a look notices it.
 *
 * @param database a replica
 * @param reached gives the position that the replica is known to have reached; empty when none is known
 * @returns the same, for statements that read
 */
export function standbyOnly(database: Database, reached: () => WalPosition): Database {
  const guarded = new Map<string, string>();
  const guard = (text: string, place: number): string => {
    let own = guarded.get(text);
    if (own === undefined) {
      own = `select r.* from (${text}) r where (select case
        when pg_last_wal_replay_lsn() >= $${place}::pg_lsn then pg_is_wal_replay_paused() is not null
        else current_setting('${WENT_BACK}') is null end)`;
      if (guarded.size < MOST) guarded.set(text, own);
    }
    return own;
  };
  const query: Send = (text, parameters = [], ...more) =>
    database.query(guard(text, parameters.length + 1), [...parameters, asLsn(reached())], ...more);
  return { ...database, query };
}
