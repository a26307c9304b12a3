import { ReplyError } from 'ioredis';
import type { Clock } from '../../clock.ts';
import { type Channels, UNOBSERVED } from '../../trace/channels.ts';
import { Trace } from '../../trace/trace.ts';
import { Breaker } from './breaker.ts';
import { RedisConnection } from './connection.ts';
import { type Dialect, SINGLE, type Values } from './dialect.ts';
import { Heartbeat, type Names, namesAfter } from './heartbeat.ts';
import type { Fill } from './lease.ts';
import { type Brought, roundTrip } from './round-trip.ts';
import type { RedisSource } from './source.ts';

/** What a node of a cluster has of its own. */
export interface NodePart {
  /** What it is called in figures. */
  readonly label: string;
  readonly dialect: Dialect;
  /** The names of its own keys now. */
  readonly names: () => Names;
}

/**
 * Bodies and leases in Redis. What is asked is answered by `null` when Redis cannot, or refuses: the caller then goes to Postgres. What failed
 * is not lost: it is told to the listener, and opens the breaker of its use unless it is a refusal.
 */
export class RedisBodies {
  protected readonly connection: RedisConnection;
  /** One for each use: what fails the one may be fine for the others. */
  protected readonly breakers: Readonly<Record<'bodies' | 'points' | 'messages', Breaker>>;
  readonly #onError: (error: Error) => void;
  protected readonly heartbeat: Heartbeat;
  /** Counts what is done for no request, so that it is told to the channels, too. */
  protected readonly upkeep: Trace;
  protected readonly dialect: Dialect;
  /** What it is called in figures; `null` when there is no other. */
  protected readonly label: string | null;

  /**
   * Connects in the background; until the connection stands every read answers `null`.
   *
   * @param source where Redis is
   * @param prefix put before the heartbeat's key
   * @param onError told of each failure, for the log
   * @param clock the time
   * @param timeoutMs how long a round trip may take, in milliseconds
   * @param channels where round trips are told that no request asks for; nowhere when it is not given
   * @param node what it has of its own as a node of a cluster; `null` for a single Redis
   */
  constructor(
    source: RedisSource,
    prefix: string,
    onError: (error: Error) => void,
    clock: Clock,
    timeoutMs: number,
    channels: Channels = UNOBSERVED,
    node: NodePart | null = null,
  ) {
    const breaker = () => new Breaker(onError, clock);
    this.breakers = { bodies: breaker(), points: breaker(), messages: breaker() };
    this.#onError = onError;
    this.connection = new RedisConnection(source, onError, clock, timeoutMs, node !== null);
    this.upkeep = new Trace({ clock, channels });
    this.dialect = node?.dialect ?? SINGLE;
    this.label = node?.label ?? null;
    this.heartbeat = new Heartbeat(this.connection, node?.names ?? namesAfter(prefix), this.upkeep, this.label);
  }

  /**
   * @param keys the keys to read
   * @param trace the request's trace
   * @returns what is there, and the heartbeat in the same command; `null` when Redis cannot answer
   */
  async read(keys: string[], trace: Trace): Promise<Values | null> {
    const send = () => this.dialect.read(this.connection.redis, keys, this.heartbeat.key);
    return this.#believed(() => this.ask('MGET', keys, send, trace));
  }

  /**
   * As `read`, and asks for the right to fill what is empty in the same round trip.
   *
   * @param keys the keys to read
   * @param named for each key whether a list named a version
   * @param token a value that no other reader uses; it stands for a key whose lease is ours
   * @param trace the request's trace
   * @returns what is there, and the heartbeat; `null` when Redis cannot answer
   */
  async readOrLease(keys: string[], named: boolean[], token: string, trace: Trace): Promise<Values | null> {
    const send = () => this.dialect.readOrLease(this.connection.redis, keys, this.heartbeat.key, named, token);
    return this.#believed(() => this.ask('larderRead', keys, send, trace));
  }

  /**
   * Asks for the right to fill keys, before the rows are read. The lease takes the place of a body that was seen to be stale.
   *
   * @param keys the keys that were missing or stale, at least one
   * @param stale those of them that hold a stale body
   * @param token a value that no other reader uses
   * @param trace the request's trace
   * @returns for each key `null` when the lease is ours, else what stands there (the error's text where Redis refuses to
   *   write, as when it is full); `null` when Redis cannot answer
   */
  async lease(keys: string[], stale: string[], token: string, trace: Trace): Promise<(string | null)[] | null> {
    const send = () => this.dialect.lease(this.connection.redis, keys, stale, token);
    return this.ask('larderLease', keys, send, trace);
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
    const keys = fills.map((fill) => fill.key);
    const send = () => this.dialect.fill(this.connection.redis, fills, token);
    return this.ask('larderFill', keys, send, trace);
  }

  /**
   * Stores what was read without a lease where nothing stands, for no request.
   *
   * @param fills the values, at least one
   * @returns how many were stored; `null` when Redis cannot answer
   */
  async add(fills: Fill[]): Promise<number | null> {
    const keys = fills.map((fill) => fill.key);
    return this.ask('larderAdd', keys, () => this.dialect.add(this.connection.redis, fills));
  }

  /**
   * @param keys leased keys that nothing will be stored under, at least one: nobody waits until they are free
   * @param token the leases' value
   */
  release(keys: string[], token: string): void {
    void this.ask('larderRelease', keys, () => this.dialect.release(this.connection.redis, keys, token));
  }

  /**
   * Where a replica may take the place of its primary, believes a heartbeat of the very process that answers alone: the replica has that of
   * the primary, too, and may have missed what that was told last.
   */
  async #believed(read: () => Promise<Values | null>): Promise<Values | null> {
    const { process, failsOver } = this.connection;
    const found = await read();
    if (!failsOver || found === null || found.epoch === null) return found;
    return process !== null && found.epoch.startsWith(process) ? found : { ...found, epoch: null };
  }

  /**
   * Asks Redis, unless the breaker is open.
   *
   * @param name what the round trip is called
   * @param keys the keys that it is about
   * @param send sends it
   * @param trace whom it is told to; upkeep, when no request asks
   * @param breaker the breaker of the use
   * @returns what Redis answered; `null` when it cannot
   */
  protected async ask<T>(
    name: string,
    keys: readonly string[],
    send: () => Promise<Brought<T>>,
    trace: Trace = this.upkeep,
    breaker: Breaker = this.breakers.bodies,
  ): Promise<T | null> {
    return this.attempt(breaker, () => roundTrip(name, keys, () => this.connection.sound(send), trace, this.label));
  }

  /** A Redis that refuses is there: its breaker stays closed, and `null` is returned. */
  protected attempt<T>(breaker: Breaker, action: () => Promise<T>): Promise<T | null> {
    return breaker.attempt(() =>
      action().catch((error: Error) => {
        if (!(error instanceof ReplyError)) throw error;
        this.#onError(error);
        return null;
      }),
    );
  }
}
