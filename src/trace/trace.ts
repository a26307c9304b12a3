import { type Clock, systemClock } from '../clock.ts';
import { type CacheCounts, noCounts } from './cache-counts.ts';
import { type Channels, type Figures, type RedisExchange, type SqlExchange, UNHEARD } from './channels.ts';

/** What a round trip made Redis do. */
export interface RedisWork {
  /** How many commands it made Redis run, those inside of scripts included. */
  readonly commands: number;
  /** How many of its keys held a body or a negative; only for reads. */
  readonly hits?: number;
}

/** What a trace keeps. */
export interface TraceOptions {
  /** Whether every exchange is kept besides being counted. */
  readonly recording?: boolean;
  /** When the request began, in milliseconds on the monotonic clock; now when it is not given. */
  readonly started?: number;
  /** Whether its statements are sent for it alone; as `recording` when it is not given. */
  readonly ownStatements?: boolean;
  /** The time; the machine's when it is not given. */
  readonly clock?: Clock;
  /** Where each exchange is told; nowhere when it is not given. */
  readonly channels?: Channels;
}

/**
 * What one request did to Postgres and Redis. It is passed explicitly to every function that does I/O, because
 * AsyncLocalStorage costs up to a third of the throughput; it imports nothing but the clock and the channels beside it, so that every
 * layer may use it. Unless it records or somebody listens, an exchange costs some additions and no allocation.
 */
export class Trace implements Figures {
  readonly sql = { statements: 0, rows: 0, ms: 0 };
  readonly redis = { commands: 0, ms: 0 };
  readonly cache: Record<string, CacheCounts> = {};
  /** The statement that took longest; its name is empty before the first. */
  readonly slowest = { name: '', ms: 0 };
  /** When the request began, in milliseconds on the monotonic clock. */
  readonly started: number;
  readonly clock: Clock;
  /** Where each exchange is told: the channels of the Larder that the request is for. */
  readonly channels: Channels;
  /** Whether its statements are sent for it alone: who looks at a request wants to see what it did, and when. */
  readonly ownStatements: boolean;
  /** Every exchange in the order in which they ended; `null` unless recording. */
  readonly events: (SqlExchange | RedisExchange)[] | null;

  #abandoned = false;
  /** Those of the requests that what is counted here is done for together; `null` for one request. */
  #sharers: readonly Trace[] | null = null;

  /** @param options what to keep */
  constructor(options: TraceOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.channels = options.channels ?? UNHEARD;
    this.started = options.started ?? this.clock.now();
    this.events = options.recording === true ? [] : null;
    this.ownStatements = options.ownStatements ?? this.events !== null;
  }

  /**
   * @param traces those of several requests of one Larder, at least one
   * @returns a trace for what is done for all of them together: there is time for it while one of them has time, and nobody waits
   *   for it when nobody waits for them
   */
  static ofAll(traces: readonly Trace[]): Trace {
    const shared = new Trace({
      started: Math.max(...traces.map(({ started }) => started)),
      clock: traces[0]?.clock ?? systemClock,
      channels: traces[0]?.channels ?? UNHEARD,
    });
    shared.#sharers = traces;
    return shared;
  }

  /** Whether the client has hung up: what nobody else waits for need not begin any more. */
  get abandoned(): boolean {
    return this.#sharers === null ? this.#abandoned : this.#sharers.every(({ abandoned }) => abandoned);
  }

  /** Notes that the client has hung up. */
  abandon(): void {
    this.#abandoned = true;
  }

  /**
   * Counts one statement, now that it has ended.
   *
   * @param name the statement's name
   * @param text its SQL; empty for what the driver sends by itself
   * @param parameters the values of its places
   * @param started when it was sent, in milliseconds on the monotonic clock
   * @param rows how many rows came back; `null` when it failed
   */
  statement(name: string, text: string, parameters: readonly unknown[], started: number, rows: number | null): void {
    const ms = this.clock.now() - started;
    this.#count(name, ms, rows ?? 0);
    if (this.events === null && !this.channels.sql.heard) return;
    const failed = rows === null;
    const event: SqlExchange = { kind: 'sql', name, started, ms, failed, rows: rows ?? 0, text, parameters };
    this.events?.push(event);
    this.channels.sql.publish(event);
  }

  /**
   * Counts a statement that was sent for other requests, too, if it was sent. The trace that it was sent with has told the channels.
   *
   * @param name the statement's name
   * @param shared the trace that it was sent with
   * @param rows how many of its rows are for this request
   */
  sharedStatement(name: string, { sql }: Trace, rows: number): void {
    if (sql.statements > 0) this.#count(name, sql.ms, rows);
  }

  #count(name: string, ms: number, rows: number): void {
    this.sql.statements += 1;
    this.sql.rows += rows;
    this.sql.ms += ms;
    if (ms < this.slowest.ms) return;
    this.slowest.name = name;
    this.slowest.ms = ms;
  }

  /**
   * Counts one round trip to Redis, now that it has ended.
   *
   * @param name the command that it is about, such as `MGET`
   * @param keys the keys that it was about
   * @param started when it was sent, in milliseconds on the monotonic clock
   * @param work what it made Redis do; `null` when it failed
   */
  roundTrip(name: string, keys: readonly string[], started: number, work: RedisWork | null): void {
    const ms = this.clock.now() - started;
    const commands = work?.commands ?? 0;
    this.redis.commands += commands;
    this.redis.ms += ms;
    if (this.events === null && !this.channels.redis.heard) return;
    const failed = work === null;
    const hits = work?.hits ?? null;
    const event: RedisExchange = { kind: 'redis', name, started, ms, failed, keys, commands, hits };
    this.events?.push(event);
    this.channels.redis.publish(event);
  }

  /**
   * The counters of one entity, made at its first use.
   *
   * @param entity the entity's name, such as `Campaign`
   * @returns counters to add to
   */
  entity(entity: string): CacheCounts {
    const known = this.cache[entity];
    if (known !== undefined) return known;
    const counts = noCounts();
    this.cache[entity] = counts;
    return counts;
  }
}
