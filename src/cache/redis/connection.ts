import { type Redis, ReplyError } from 'ioredis';
import { type Clock, sleep } from '../../clock.ts';
import { introduce } from './fitness.ts';
import { hearEveryError, replaceWhenInAnotherDatabase, replaceWhenOutOfStep, type WrongDatabase } from './guard.ts';
import { inTime } from './in-time.ts';
import { OutOfStep } from './replies.ts';
import { defineScripts, loadScripts } from './scripts.ts';
import { openRedis, type RedisSource } from './source.ts';

/** How long a round trip may take unless it is said, in milliseconds: Postgres answers sooner than that. */
export const REDIS_TIMEOUT_MS = 100;

/**
 * A connection that has answered nothing for so many times as long, although it was asked, is replaced: a network may swallow
 * everything, and a stream that has lost an answer, or waits for the end of one that has none, goes on without ever answering in time.
 */
export const SILENT_TIMEOUTS = 10;

/** The longest pause between two attempts to connect. */
const RETRY_MS = 1000;

/**
 * How to connect again, for every connection of ours.
 *
 * @param attempt how many have failed
 * @returns how long to wait, in milliseconds
 */
export function retryPause(attempt: number): number {
  return Math.min(attempt * 50, RETRY_MS);
}

/** A connection for commands: each is answered soon or fails, and what failed is not sent again. */
export class RedisConnection {
  readonly #redis: Redis;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #isNode: boolean;
  #corked = false;
  #unfit: string | null = null;
  /** Why Redis answers, but not in the database that is meant. */
  #refusal: WrongDatabase | null = null;
  #number = 0;
  #process: string | null = null;
  /** When the first of those commands was sent that have failed since one succeeded; `null` when the last succeeded. */
  #failingSince: number | null = null;

  /**
   * Connects in the background.
   *
   * @param source where a single Redis is, or a node of a cluster
   * @param onError told of each lost connection, and when Redis did not take the scripts: they are then sent when called
   * @param clock the time
   * @param timeoutMs how long a round trip may take, in milliseconds
   * @param isNode whether it is a node of a cluster
   */
  constructor(source: RedisSource, onError: (error: Error) => void, clock: Clock, timeoutMs: number, isNode = false) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#isNode = isNode;
    this.#redis = openRedis(source, {
      socketTimeout: SILENT_TIMEOUTS * timeoutMs,
      connectTimeout: 1000,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      autoResendUnfulfilledCommands: false,
      retryStrategy: retryPause,
      connectionName: 'larder',
    });
    defineScripts(this.#redis);
    this.#redis.on('error', onError);
    hearEveryError(this.#redis);
    replaceWhenOutOfStep(this.#redis);
    replaceWhenInAnotherDatabase(this.#redis, (refusal) => {
      this.#refusal = refusal;
      onError(refusal);
    });
    // A script that Redis does not know yet costs a second round trip, in the middle of a request.
    this.#redis.on('close', () => {
      this.#number += 1;
      this.#process = null;
    });
    this.#redis.on('ready', () => {
      this.#failingSince = null;
      this.#refusal = null;
      loadScripts(this.#redis).catch(onError);
      const number = this.#number;
      introduce(this.#redis, isNode).then(({ process, unfit }) => {
        this.#unfit = unfit;
        if (number === this.#number) this.#process ??= process;
        if (unfit !== null) onError(new Error(unfit));
      }, onError);
    });
  }

  /** Why Larder cannot work with this Redis; `null` when it can, or when that is not known. */
  get unfit(): string | null {
    return this.#refusal?.message ?? this.#unfit;
  }

  /**
   * The client, for commands that are sent now: what is sent in one turn of the event loop, by however many requests, leaves in
   * one write. A write for each command was an eighth of the CPU time of an entity by id.
   */
  get redis(): Redis {
    const { stream } = this.#redis;
    if (!this.#corked && stream?.writable) {
      this.#corked = true;
      stream.cork();
      setImmediate(() => {
        this.#corked = false;
        stream.uncork();
      });
    }
    return this.#redis;
  }

  /** Whether a replica may take the place of the Redis that it leads to, and answer in its stead. */
  get failsOver(): boolean {
    return this.#isNode || Array.isArray(this.#redis.options.sentinels);
  }

  /** The id of the process of Redis that it leads to (`run_id`); `null` while that is not known. */
  get process(): string | null {
    return this.#process;
  }

  /**
   * Takes note which process it leads to.
   *
   * @param process the id of the process
   * @param number the connection that said so
   */
  met(process: string, number: number): void {
    if (number === this.#number) this.#process = process;
  }

  /** Whether it stands. */
  get isConnected(): boolean {
    return this.#redis.status === 'ready';
  }

  /** Which connection it is: another number means that another Redis may have answered meanwhile. */
  get number(): number {
    return this.#number;
  }

  /** @param listener told of each connection that stands from now on */
  onReady(listener: () => void): void {
    this.#redis.on('ready', listener);
  }

  /**
   * Waits for the first connection.
   *
   * @param ms how long to wait, in milliseconds
   * @returns whether Redis is connected
   * @throws {WrongDatabase} when Redis has no such database
   */
  async connected(ms: number): Promise<boolean> {
    const deadline = this.#clock.now() + ms;
    while (this.#redis.status !== 'ready' && this.#clock.now() < deadline) {
      if (this.#refusal !== null) throw this.#refusal;
      await sleep(this.#clock, 5);
    }
    return this.#redis.status === 'ready';
  }

  /**
   * Does something whose replies are checked, and replaces a connection that is out of step, since the replies of all that follows
   * would be those to other questions, and one that has not answered anything in time for ten times as long as an answer may take.
   *
   * @param action what to do
   * @returns what it returns
   * @throws what it throws, and when it takes longer than a command may
   */
  async sound<T>(action: () => Promise<T>): Promise<T> {
    const asked = this.#clock.now();
    try {
      const result = await inTime(this.#clock, this.#timeoutMs, action());
      this.#failingSince = null;
      return result;
    } catch (error) {
      this.#judge(error, asked);
      throw error;
    }
  }

  #judge(error: unknown, asked: number): void {
    // What Redis refuses is an answer, too.
    if (error instanceof ReplyError) {
      this.#failingSince = null;
      // A primary that became a replica refuses writes on this connection for ever; another one may lead to its successor.
      if (String(error).includes('READONLY')) this.#redis.disconnect(true);
      return;
    }
    // Nothing was asked on a connection that is being made: whoever gave that up at each failure would never have another.
    if (this.#redis.status !== 'ready') return;
    this.#failingSince ??= asked;
    if (!(error instanceof OutOfStep) && this.#clock.now() - this.#failingSince < SILENT_TIMEOUTS * this.#timeoutMs)
      return;
    this.#failingSince = null;
    this.#redis.disconnect(true);
  }

  /** @returns whether Redis answers */
  async ping(): Promise<boolean> {
    return inTime(this.#clock, this.#timeoutMs, this.#redis.ping()).then(
      (reply) => reply === 'PONG',
      () => false,
    );
  }

  /** Ends the connection. */
  close(): void {
    this.#redis.disconnect();
  }
}
