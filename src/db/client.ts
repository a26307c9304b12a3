import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres, { type Sql } from 'postgres';

/** One pool of connections: `client` runs statements, `orm` builds and migrates. Whoever opened it closes it. */
export interface Database {
  readonly client: Sql;
  readonly orm: PostgresJsDatabase;
  readonly statementTimeoutMs: number;
  /** @returns whether Postgres answers within a second; asks outside of any request's figures */
  ping(): Promise<boolean>;
  /** Ends the pool after the statements under way, at the latest after five seconds. */
  close(): Promise<void>;
}

/** Where Postgres is and how much of it to use. */
export interface DatabaseOptions {
  readonly url: string;
  readonly poolSize: number;
  readonly statementTimeoutMs: number;
}

/**
 * Opens a pool. Connections are made when first used.
 *
 * @param options the address, the pool's size in connections and the time limit of a statement in milliseconds
 * @returns the pool
 */
export function openDatabase(options: DatabaseOptions): Database {
  const client = postgres(options.url, {
    max: options.poolSize,
    // Array types travel as text literals that we write, so the driver need not ask for them on each new connection.
    fetch_types: false,
    connect_timeout: 5,
    onnotice: () => {},
    connection: {
      application_name: 'larder',
      // Sort keys travel as text: one time zone and one date style make that text the same on every connection.
      TimeZone: 'UTC',
      DateStyle: 'ISO, MDY',
      statement_timeout: options.statementTimeoutMs,
    },
  });
  return {
    client,
    orm: drizzle(client),
    statementTimeoutMs: options.statementTimeoutMs,
    ping: () => {
      const answer = client`select 1`.then(
        () => true,
        () => false,
      );
      return Promise.race([answer, new Promise<boolean>((resolve) => setTimeout(resolve, 1000, false).unref())]);
    },
    close: () => client.end({ timeout: 5 }),
  };
}
