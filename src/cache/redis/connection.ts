import { type Redis, ReplyError } from 'ioredis';
import { type Clock, sleep } from '../../clock.ts';
import { introduce } from './fitness.ts';
import {
  connectUntilClosed,
  hearEveryError,
  replaceWhenInAnotherDatabase,
  replaceWhenOutOfStep,
  type WrongDatabase,
} from './guard.ts';
import { inTime } from './in-time.ts';
import { OutOfStep } from './replies.ts';
import { retryPause } from './retry-pause.ts';
import { defineScripts, loadScripts } from './scripts.ts';
import { Silence } from './silence.ts';
import { connectTimeoutMs, openRedis, type RedisSource } from './source.ts';

/** How long a round trip may take by default, in milliseconds. Postgres answers sooner than that. */
export const REDIS_TIMEOUT_MS = 100;

/** A connection for commands. Each is answered soon or fails. A failed command is not sent again. */
export class RedisConnection {
  readonly #redis: Redis;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #corked = false;
  #unfit: string | null = null;
  /** Why the connection is in another database than its URL names; `null` when it is not. */
  #refusal: WrongDatabase | null = null;
  #number = 0;
  #process: string | null = null;
  readonly #silence: Silence;
  /** Whether a replica may take the place of the Redis that it leads to, and answer in its stead. */
  readonly failsOver: boolean;
  /** Closes the connection. */
  readonly close: () => void;

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
    this.#silence = new Silence(clock, timeoutMs);
    this.#redis = openRedis(source, {
      socketTimeout: this.#silence.limitMs,
      connectTimeout: connectTimeoutMs(timeoutMs),
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      autoResendUnfulfilledCommands: false,
      retryStrategy: retryPause,
      connectionName: 'larder',
    });
    this.failsOver = isNode || Array.isArray(this.#redis.options.sentinels);
    defineScripts(this.#redis);
    this.#redis.on('error', onError);
    hearEveryError(this.#redis);
    this.close = connectUntilClosed(this.#redis, clock);
    replaceWhenOutOfStep(this.#redis);
    replaceWhenInAnotherDatabase(this.#redis, (refusal) => {
      this.#refusal = refusal;
      onError(refusal);
    });
    this.#redis.on('close', () => {
      this.#number += 1;
      this.#process = null;
    });
    this.#redis.on('ready', () => {
      this.#silence.end();
      this.#refusal = null;
      // An unknown script costs a second round trip, in the middle of a request.
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
   * The client, for commands that are sent at once. All commands of a turn of the event loop leave in one write, which is much cheaper than
   * a write for each.
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

  /** The number of the connection. With another number, another Redis may have answered. */
  get number(): number {
    return this.#number;
  }

  /** @param listener told of each connection from now on */
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
    while (!this.isConnected && this.#clock.now() < deadline) {
      if (this.#refusal !== null) throw this.#refusal;
      await sleep(this.#clock, 5);
    }
    return this.isConnected;
  }

  /**
   * Runs an action that checks its replies, and replaces a broken connection. That is a connection out of step, whose later replies would
   * be those to other questions. It is also one that has not answered for ten time limits.
   *
   * @param action sends commands
   * @returns what it returns
   * @throws what it throws, or an error when it takes longer than a command may
   */
  async sound<T>(action: () => Promise<T>): Promise<T> {
    const asked = this.#clock.now();
    try {
      const result = await inTime(this.#clock, this.#timeoutMs, action());
      this.#silence.end();
      return result;
    } catch (error) {
      this.#judge(error, asked);
      throw error;
    }
  }

  #judge(error: unknown, asked: number): void {
    // A refusal is an answer, too.
    if (error instanceof ReplyError) {
      this.#silence.end();
      // A primary that became a replica refuses writes on this connection for ever. A new connection may lead to its successor.
      if (String(error).includes('READONLY')) this.#redis.disconnect(true);
      return;
    }
    // Nothing was asked on a connection that is being made. Giving it up at each failure would never give another.
    if (!this.isConnected) return;
    if (!this.#silence.unanswered(asked) && !(error instanceof OutOfStep)) return;
    this.#silence.end();
    this.#redis.disconnect(true);
  }

  /** @returns whether Redis answers */
  async ping(): Promise<boolean> {
    return inTime(this.#clock, this.#timeoutMs, this.#redis.ping()).then(
      (reply) => reply === 'PONG',
      () => false,
    );
  }
}
