import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres, { type Sql } from 'postgres';
import { Gate } from './gate.ts';

/** Where Postgres is and how much of it to use. */
export interface DatabaseOptions {
  readonly url: string;
  /** Connections at most. */
  readonly poolSize: number;
  /** How long a statement may take, its wait for a place included, in milliseconds; 0 for as long as it likes. */
  readonly statementTimeoutMs: number;
}

/** One pool of connections. Whoever opened it closes it. */
export interface Database {
  readonly client: Sql;
  readonly orm: PostgresJsDatabase;
  readonly statementTimeoutMs: number;
  /** Bounds the statements under way and those that wait. */
  readonly gate: Gate;
  /**
   * Bounds the reads of bodies among them: when the caches are empty or gone, the lists must still get their turn.
   */
  readonly bodyGate: Gate;
  /**
   * Puts new connections in the place of all. A stopped backend never answers and never hangs up, and the driver would go on
   * sending statements after the one that is stuck; those under way elsewhere get the time to finish.
   */
  renew(): void;
  /** @returns whether Postgres answers within a second; asks outside of any request's figures */
  ping(): Promise<boolean>;
  /** Ends the pool after the statements under way, at the latest after five seconds. */
  close(): Promise<void>;
}

/** Statements sent on one connection before the first is answered: the driver pipelines them. */
const PIPELINE = 8;

/** Reads of bodies under way for each connection. */
const BODY_READS = 2;

/** Statements that may wait for each that may be under way. */
const WAITING = 16;

/**
 * Opens a pool. Connections are made when first used.
 *
 * @param options the address, the pool's size and the time limit
 * @returns the pool
 */
export function openDatabase(options: DatabaseOptions): Database {
  const { poolSize, statementTimeoutMs } = options;
  let client = connect(options);
  let orm = drizzle(client);
  let renewedAt = Number.NEGATIVE_INFINITY;
  return {
    get client() {
      return client;
    },
    get orm() {
      return orm;
    },
    statementTimeoutMs,
    gate: new Gate(poolSize * PIPELINE, poolSize * PIPELINE * WAITING),
    bodyGate: new Gate(poolSize * BODY_READS, poolSize * PIPELINE * WAITING),
    renew: () => {
      // Many statements run into their limit together: one renewal is enough for them all.
      if (performance.now() - renewedAt < statementTimeoutMs) return;
      renewedAt = performance.now();
      void client.end({ timeout: statementTimeoutMs / 1000 });
      client = connect(options);
      orm = drizzle(client);
    },
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

function connect({ url, poolSize, statementTimeoutMs }: DatabaseOptions): Sql {
  return postgres(url, {
    max: poolSize,
    // The driver's types leave this one out.
    ...({ max_pipeline: PIPELINE } as object),
    // Array types travel as text literals that we write, so the driver need not ask for them on each new connection.
    fetch_types: false,
    connect_timeout: 5,
    keep_alive: 10,
    // Postgres is back sooner than the driver's own pause of up to twenty seconds would notice.
    backoff: (attempt: number) => Math.min(attempt * 0.05, 0.5),
    onnotice: () => {},
    connection: {
      application_name: 'larder',
      // Sort keys travel as text: one time zone and one date style make that text the same on every connection.
      TimeZone: 'UTC',
      DateStyle: 'ISO, MDY',
      statement_timeout: statementTimeoutMs,
    },
  });
}
