import { Duplex } from 'node:stream';
import postgres, { type Sql } from 'postgres';
import { type Clock, systemClock } from '../clock.ts';
import { errorOf } from '../reason-of.ts';
import { type Channels, UNOBSERVED } from '../trace/channels.ts';
import type { Connection } from './connection.ts';
import { type ConnectionOptions, driverOptions, planAnew } from './driver.ts';
import { ConnectionLost } from './errors.ts';
import { Gate } from './gate.ts';
import { Pool } from './pool.ts';
import { PostgresRoute } from './route.ts';
import { beginning } from './session-settings.ts';
import { type PostgresSource, targetOf } from './source.ts';

/** Where Postgres is, and how much of it to use. */
export interface DatabaseOptions extends ConnectionOptions {
  /** The most connections for reading; transactions may have as many more. */
  readonly poolSize: number;
  /** How long a request may take in all, with its waits, in milliseconds; without limit when it is left out. */
  readonly requestTimeoutMs?: number;
  /** The time; the machine's when it is left out. */
  readonly clock?: Clock;
  /** Where statements that no request asks for are reported; nowhere when it is left out. */
  readonly channels?: Channels;
}

/** Sends one statement, and waits for its rows. */
export type Send = Connection['send'];

/** Postgres as requests use it. Whoever opened it closes it. */
export interface Database {
  /** The driver's own pool, for tools: template strings, COPY, no limits. It connects at first use. */
  readonly client: Sql;
  readonly statementTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** The time of its limits and its traces. */
  readonly clock: Clock;
  /** Where its traces report. */
  readonly channels: Channels;
  /** Limits the statements under way, and those that wait. */
  readonly gate: Gate;
  /** Limits the reads of bodies among them. When the caches are empty or gone, lists must still get a place. */
  readonly bodyGate: Gate;
  /** Limits the transactions. They have connections of their own, so a lock that one waits for stops no reader. */
  readonly transactionGate: Gate;
  /** Sends one statement, perhaps on a connection where others wait for their answers. */
  readonly query: Send;
  /**
   * Does some work in a transaction, on a connection of its own.
   *
   * @param work sends its statements through the function that it is given
   * @returns what `work` returns, committed
   * @throws what `work` throws, rolled back
   * @throws {ConnectionLost} when the connection is lost while `work` waits for something else
   */
  begin<T>(work: (send: Send) => Promise<T>): Promise<T>;
  /**
   * Asks Postgres outside of any request's trace.
   *
   * @returns whether it answers within a second
   */
  ping(): Promise<boolean>;
  /** Closes every connection after the statements under way, after five seconds at the latest. */
  close(): Promise<void>;
}

/** Statements that are sent on a connection before the first is answered; the driver pipelines them. */
const PIPELINE = 8;

/** Reads of bodies under way, for each connection. */
const BODY_READS = 2;

/** Statements that may wait, for each that may be under way. */
const WAITING = 16;

/** How long a closing process waits for statements under way, in seconds. */
const CLOSE_SECONDS = 5;

/** How long Postgres may take to answer a ping, in milliseconds. */
const PING_MS = 1000;

/**
 * Opens a database. Connections are made at first use.
 *
 * @param options the address, how many connections, and the time limits
 * @returns the database
 */
export function openDatabase(options: DatabaseOptions): Database {
  const { poolSize, statementTimeoutMs, requestTimeoutMs = Number.POSITIVE_INFINITY } = options;
  const { clock = systemClock, channels = UNOBSERVED } = options;
  const target = targetOf(options.url);
  const route = new PostgresRoute(target, clock);
  const closing = new AbortController();
  // The driver's types leave `socket` out.
  const way = { socket: () => openOrFail(route, closing.signal) } as object;
  const client = postgres({ ...driverOptions(target, statementTimeoutMs, route.password), max: poolSize, ...way });
  const pool = new Pool({ ...options, route }, poolSize, clock);
  let pinging: Promise<boolean> | null = null;
  return {
    client,
    statementTimeoutMs,
    requestTimeoutMs,
    clock,
    channels,
    gate: new Gate(poolSize * PIPELINE, poolSize * PIPELINE * WAITING, clock),
    bodyGate: new Gate(poolSize * BODY_READS, poolSize * PIPELINE * WAITING, clock),
    transactionGate: new Gate(poolSize, poolSize * PIPELINE * WAITING, clock),
    query: (...asked) => planAnew(() => pool.share().send(...asked)),
    begin: (work) => begin(pool, beginning(target.pooled, statementTimeoutMs), work),
    ping: () => {
      // However often it is called, only one question is under way.
      pinging ??= answers(pool, clock).finally(() => {
        pinging = null;
      });
      return pinging;
    },
    close: async () => {
      await Promise.all([client.end({ timeout: CLOSE_SECONDS }), pool.end(CLOSE_SECONDS)]);
      closing.abort();
    },
  };
}

/**
 * Connects a tool, for template strings, COPY and statements without a time limit. It connects at first use.
 *
 * @param url the URL in libpq's form, or a client of the driver
 * @returns the driver's client, with one connection, and what closes it
 */
export function connectPostgres(url: PostgresSource): Pick<Database, 'client' | 'close'> {
  return openDatabase({ url, poolSize: 1, statementTimeoutMs: 0 });
}

/** The driver recovers from a socket that breaks once it has written to it, but not from one that it did not get, or not write to. */
async function openOrFail(route: PostgresRoute, signal: AbortSignal): Promise<Duplex> {
  try {
    return await route.open(signal);
  } catch (error) {
    return new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done(errorOf(error)) });
  }
}

async function begin<T>(pool: Pool, text: string, work: (send: Send) => Promise<T>): Promise<T> {
  let lose = () => {};
  const connection = pool.take(() => lose());
  // Postgres answers in order, so the next statements need not wait for BEGIN. So a write holds its connection for two answers, not three.
  // Postgres refuses BEGIN only on a connection that is of no use. Such a connection is given up, with what was sent after it.
  const begun = connection.send(text).catch((error: unknown) => {
    connection.giveUp();
    throw error;
  });
  try {
    const done = await new Promise<T>((resolve, reject) => {
      // Work that the loss ends says by itself why, at once. Other work may wait for anything, and must not keep its place meanwhile.
      lose = () => setImmediate(reject, new ConnectionLost());
      Promise.all([begun, work((...asked) => connection.send(...asked))]).then(([, result]) => resolve(result), reject);
    });
    await connection.send('commit');
    return done;
  } catch (error) {
    // When the connection is lost, Postgres rolls back by itself.
    if (!connection.lost) await connection.send('rollback').catch(() => connection.giveUp());
    throw error;
  } finally {
    pool.giveBack(connection);
  }
}

function answers(pool: Pool, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const stop = clock.after(PING_MS, () => resolve(false));
    const answer = (answered: boolean) => {
      stop();
      resolve(answered);
    };
    const ask = async () => pool.share().send('select 1');
    ask().then(
      () => answer(true),
      () => answer(false),
    );
  });
}
