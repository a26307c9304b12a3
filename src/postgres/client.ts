import { Socket } from 'node:net';
import postgres, { type Sql } from 'postgres';
import { type Clock, systemClock } from '../clock.ts';
import { type Channels, UNOBSERVED } from '../trace/channels.ts';
import type { Connection } from './connection.ts';
import { type ConnectionOptions, driverOptions } from './driver-options.ts';
import { Gate } from './gate.ts';
import { planAnew } from './plan-anew.ts';
import { Pool } from './pool.ts';
import { PostgresRoute } from './route.ts';
import { beginning } from './session-settings.ts';
import { type PostgresSource, targetOf } from './source.ts';

/** Where Postgres is and how much of it to use. */
export interface DatabaseOptions extends ConnectionOptions {
  /** Connections for reading at most; transactions may take as many more. */
  readonly poolSize: number;
  /** How long a request may take in all, its waits included, in milliseconds; as long as it likes when it is not given. */
  readonly requestTimeoutMs?: number;
  /** The time; the machine's when it is not given. */
  readonly clock?: Clock;
  /** Where statements that no request asks for are told; nowhere when it is not given. */
  readonly channels?: Channels;
}

/** Sends one statement and waits for its rows. */
export type Send = Connection['send'];

/** Postgres as requests use it. Whoever opened it closes it. */
export interface Database {
  /** The driver's own pool, for tools: template strings, COPY, no bounds. It connects when it is first used. */
  readonly client: Sql;
  readonly statementTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** The time that its limits go by, and that of its traces. */
  readonly clock: Clock;
  /** Where its traces are told. */
  readonly channels: Channels;
  /** Bounds the statements under way and those that wait. */
  readonly gate: Gate;
  /**
   * Bounds the reads of bodies among them: when the caches are empty or gone, the lists must still get their turn.
   */
  readonly bodyGate: Gate;
  /** Bounds the transactions, which have connections of their own: a lock that one waits for holds up no reader. */
  readonly transactionGate: Gate;
  /** Sends one statement, perhaps on a connection where others wait for their answers. */
  readonly query: Send;
  /**
   * Does some work in a transaction, on a connection of its own.
   *
   * @param work what to do; its statements go through the function that it is given
   * @returns what `work` returns, committed
   * @throws what `work` throws, rolled back
   */
  begin<T>(work: (send: Send) => Promise<T>): Promise<T>;
  /** @returns whether Postgres answers within a second; asks outside of any request's figures */
  ping(): Promise<boolean>;
  /** Ends every connection after the statements under way, at the latest after five seconds. */
  close(): Promise<void>;
}

/** Statements sent on one connection before the first is answered: the driver pipelines them. */
const PIPELINE = 8;

/** Reads of bodies under way for each connection. */
const BODY_READS = 2;

/** Statements that may wait for each that may be under way. */
const WAITING = 16;

/** How long a closing process waits for statements under way. */
const CLOSE_SECONDS = 5;

/** How long Postgres may take to answer before it is said to be away. */
const PING_MS = 1000;

/**
 * Opens a database. Connections are made when first used.
 *
 * @param options the address, how many connections and the time limits
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
  const client = postgres({ ...driverOptions(target, statementTimeoutMs), max: poolSize, ...way });
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
      // Whoever asks often must not fill the connections with questions.
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
 * Connects a tool, for template strings, COPY and statements that may take as long as they like. It is connected when first used.
 *
 * @param url the address as libpq and hosts write it, or a client of the driver that knows it
 * @returns the driver's client, of one connection, and what ends it
 */
export function connectPostgres(url: PostgresSource): Pick<Database, 'client' | 'close'> {
  return openDatabase({ url, poolSize: 1, statementTimeoutMs: 0 });
}

/** The driver goes on after a socket that breaks, but not after one that it did not get. */
async function openOrFail(route: PostgresRoute, signal: AbortSignal): Promise<Socket> {
  try {
    return await route.open(signal);
  } catch (error) {
    const broken = new Socket();
    setImmediate(() => broken.destroy(error instanceof Error ? error : new Error(String(error))));
    return broken;
  }
}

async function begin<T>(pool: Pool, text: string, work: (send: Send) => Promise<T>): Promise<T> {
  const connection = pool.take();
  // Postgres answers in order, so that what follows need not wait for it: a write holds its connection for two answers, not three.
  // Postgres refuses BEGIN on no connection that is of any use: one where it does is given up, with what was sent after it.
  const begun = connection.send(text).catch((error: unknown) => {
    connection.giveUp();
    throw error;
  });
  try {
    const [, done] = await Promise.all([begun, work((...asked) => connection.send(...asked))]);
    await connection.send('commit');
    return done;
  } catch (error) {
    // Without its connection Postgres rolls back by itself.
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
    pool
      .share()
      .send('select 1')
      .then(
        () => answer(true),
        () => answer(false),
      );
  });
}
