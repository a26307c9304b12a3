import { type SQL, sql } from 'drizzle-orm';
import { Trace } from '../trace/trace.ts';
import type { Database } from './client.ts';
import { run, statement } from './statement.ts';

/** The cluster of a server; `null` where the role may not read it. */
export interface OfSystem {
  readonly system: string | null;
}

/** Postgres' code for a function that the role may not call. */
const DENIED = '42501';

/**
 * Makes a function that asks a server about its write-ahead log, and about its cluster where the role may read that.
 *
 * @param name the statement's name in metrics
 * @param columns what is asked
 * @returns asks a server; throws as `run` does
 */
export function lookAtWal<Row extends object>(
  name: string,
  columns: SQL,
): (database: Database) => Promise<Row & OfSystem> {
  const system = sql`(select system_identifier::text from pg_control_system())`;
  const all = statement<Row & OfSystem>(name, sql`select ${columns}, ${system} as system`);
  const allowed = statement<Row & OfSystem>(name, sql`select ${columns}, null as system`);
  let asked = all;
  const look = async (database: Database) => (await run(database, asked, {}, new Trace(database)))[0] as Row & OfSystem;
  return async (database) => {
    try {
      return await look(database);
    } catch (error) {
      if (asked === allowed || !(error instanceof Error && 'code' in error && error.code === DENIED)) throw error;
      asked = allowed;
      return look(database);
    }
  };
}
