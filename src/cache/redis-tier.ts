import { Redis, ReplyError, type Result } from 'ioredis';
import type { Trace } from '../trace/trace.ts';
import { Breaker } from './breaker.ts';

/** A value to put under a key that this process holds the lease of. */
export interface Fill {
  readonly key: string;
  readonly value: string;
  readonly ttlMs: number;
}

/** How long a lease lasts at most: longer than any SELECT may take, so that a slow reader still owns it or nobody does. */
const LEASE_MS = 3000;

/** A command that takes longer counts as failed: Postgres answers sooner than that. */
const COMMAND_TIMEOUT_MS = 100;

/** Stores each value only where the lease is still ours; an invalidation or another reader's lease forbids it. */
const FILL = `
local stored = 0
for i, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then
    redis.call('SET', key, ARGV[2 * i], 'PX', ARGV[2 * i + 1])
    stored = stored + 1
  end
end
return stored`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    larderFill(keyCount: number, ...args: (string | number)[]): Result<number, Context>;
  }
}

/**
 * The tier in Redis. Its reads answer `null` when Redis cannot: the caller then goes to Postgres. What failed is not
 * lost: it opens the breaker and is told to the listener.
 */
export class RedisTier {
  readonly #redis: Redis;
  readonly #breaker: Breaker;

  /**
   * Connects in the background; until the connection stands every read answers `null`.
   *
   * @param url the address of a single Redis, not a cluster
   * @param onError told of each failure, for the log
   */
  constructor(url: string, onError: (error: Error) => void) {
    this.#breaker = new Breaker(onError);
    this.#redis = new Redis(url, {
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: 1000,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      autoResendUnfulfilledCommands: false,
      retryStrategy: (attempt) => Math.min(attempt * 50, 1000),
      connectionName: 'larder',
    });
    this.#redis.defineCommand('larderFill', { lua: FILL });
    this.#redis.on('error', onError);
  }

  /**
   * Waits for the first connection.
   *
   * @param ms how long to wait, in milliseconds
   * @returns whether Redis is connected
   */
  async connected(ms: number): Promise<boolean> {
    const deadline = performance.now() + ms;
    while (this.#redis.status !== 'ready' && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return this.#redis.status === 'ready';
  }

  /**
   * @param keys the keys to read, at least one
   * @param trace the request's trace
   * @returns a value or `null` for each key, in order; `null` when Redis cannot answer
   */
  async read(keys: string[], trace: Trace): Promise<(string | null)[] | null> {
    return this.#breaker.attempt(async () => {
      const started = performance.now();
      const values = await this.#redis.mget(keys);
      trace.commands(1, performance.now() - started);
      return values;
    });
  }

  /**
   * Asks for the right to fill keys, before the rows are read. Keys seen with a stale body are emptied first.
   *
   * @param keys the keys that were missing or stale, at least one
   * @param stale those of them that hold a stale body
   * @param token a value that no other reader uses
   * @param trace the request's trace
   * @returns for each key `null` when the lease is ours, else what stands there (the error's text where Redis refuses to
   *   write, as when it is full); `null` when Redis cannot answer
   */
  async lease(keys: string[], stale: string[], token: string, trace: Trace): Promise<(string | null)[] | null> {
    return this.#breaker.attempt(async () => {
      const started = performance.now();
      const pipeline = this.#redis.pipeline();
      if (stale.length > 0) pipeline.unlink(stale);
      for (const key of keys) pipeline.call('SET', key, token, 'NX', 'GET', 'PX', LEASE_MS);
      const replies = (await pipeline.exec()) ?? [];
      trace.commands(replies.length, performance.now() - started);
      return replies.slice(stale.length > 0 ? 1 : 0).map(([error, value]) => {
        if (error === null) return value as string | null;
        if (error instanceof ReplyError) return String(error);
        throw error;
      });
    });
  }

  /**
   * Stores what was read under the leases that are still ours.
   *
   * @param fills the values, at least one
   * @param token the leases' value
   * @param trace the request's trace
   * @returns how many were stored; `null` when Redis cannot answer
   */
  async fill(fills: Fill[], token: string, trace: Trace): Promise<number | null> {
    return this.#breaker.attempt(async () => {
      const started = performance.now();
      const values = fills.flatMap((fill) => [fill.value, fill.ttlMs]);
      const keys = fills.map((fill) => fill.key);
      const stored = await this.#redis.larderFill(keys.length, ...keys, token, ...values);
      // Redis counts the script's own commands too: one, a GET for each key, a SET for each stored value.
      trace.commands(1 + keys.length + stored, performance.now() - started);
      return stored;
    });
  }

  /**
   * Removes bodies and leases alike, so that no reader who began before can fill the keys.
   *
   * @param keys the keys, at least one
   * @throws when Redis cannot be told: an invalidation must not be lost silently
   */
  async invalidate(keys: string[]): Promise<void> {
    await this.#redis.unlink(keys);
  }

  /** @returns whether Redis answers */
  async ping(): Promise<boolean> {
    return this.#redis.ping().then(
      () => true,
      () => false,
    );
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    this.#redis.disconnect();
  }
}
