import { type Clock, systemClock } from '../clock.ts';
import { type CacheCounts, noCounts } from './cache-counts.ts';
import { type Channels, type Figures, type RedisExchange, type SqlExchange, UNOBSERVED } from './channels.ts';

/** What Redis did in a round trip. */
export interface RedisWork {
  /** How many commands Redis ran, those inside scripts included. */
  readonly commands: number;
  /** How many of its keys held a body or a negative; only for reads. */
  readonly hits?: number;
}

/** What a trace keeps. */
export interface TraceOptions {
  /** Whether every exchange is kept, besides being counted. */
  readonly recording?: boolean;
  /** When the request began, in milliseconds on the monotonic clock; now when it is left out. */
  readonly started?: number;
  /** Whether its statements are shared with no other request; as `recording` when it is left out. */
  readonly ownStatements?: boolean;
  /** The time; the machine's when it is left out. */
  readonly clock?: Clock;
  /** Where each exchange is reported; nowhere when it is left out. */
  readonly channels?: Channels;
}

/**
 * What one request did to Postgres and Redis. It is passed explicitly to every function that does I/O, because AsyncLocalStorage is slow.
 * It imports nothing but the clock and the channels beside it, so every layer may use it. Unless it records or somebody listens, an
 * exchange costs some additions and no allocation.
 */
export class Trace implements Figures {
  readonly sql = { statements: 0, rows: 0, ms: 0 };
  readonly redis = { commands: 0, ms: 0 };
  readonly cache: Record<string, CacheCounts> = {};
  /** The slowest statement; its name is empty before the first. */
  readonly slowest = { name: '', ms: 0 };
  /** When the request began, in milliseconds on the monotonic clock. */
  readonly started: number;
  readonly clock: Clock;
  /** Where each exchange is reported: the channels of the request's Larder. */
  readonly channels: Channels;
  /** Whether its statements are shared with no other request. Whoever inspects a request wants to see what that request alone did. */
  readonly ownStatements: boolean;
  /** Every exchange, in the order in which they ended; `null` unless recording. */
  readonly events: (SqlExchange | RedisExchange)[] | null;

  #abandoned = false;
  #outOfTime = false;
  /** The traces of the requests that share what is counted here; `null` for one request. */
  #sharers: readonly Trace[] | null = null;

  /** @param options what to keep */
  constructor(options: TraceOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.channels = options.channels ?? UNOBSERVED;
    this.started = options.started ?? this.clock.now();
    this.events = options.recording === true ? [] : null;
    this.ownStatements = options.ownStatements ?? this.events !== null;
  }

  /**
   * @param traces the traces of several requests of one Larder, at least one
   * @returns a trace for work done for all of them: it has time while one of them has, and is abandoned when all are
   */
  static ofAll(traces: readonly Trace[]): Trace {
    const shared = new Trace({
      started: Math.max(...traces.map(({ started }) => started)),
      clock: traces[0]?.clock ?? systemClock,
      channels: traces[0]?.channels ?? UNOBSERVED,
    });
    shared.#sharers = traces;
    return shared;
  }

  /** Whether the client has hung up. Work that no other request waits for need not begin any more. */
  get abandoned(): boolean {
    return this.#sharers === null ? this.#abandoned : this.#sharers.every(({ abandoned }) => abandoned);
  }

  /** Notes that the client has hung up. */
  abandon(): void {
    this.#abandoned = true;
  }

  /** Whether Postgres was given up because the time of the request was over. */
  get outOfTime(): boolean {
    return this.#outOfTime;
  }

  /** Notes that the time was over. It was that of all requests that share what is counted here. */
  runOutOfTime(): void {
    this.#outOfTime = true;
    for (const sharer of this.#sharers ?? []) sharer.runOutOfTime();
  }

  /**
   * Counts one statement that has ended.
   *
   * @param name the statement's name
   * @param text its SQL; empty for what the driver sends by itself
   * @param parameters its parameters
   * @param started when it was sent, in milliseconds on the monotonic clock
   * @param rows how many rows came back; `null` when it failed
   */
  statement(name: string, text: string, parameters: readonly unknown[], started: number, rows: number | null): void {
    const ms = this.clock.now() - started;
    this.#count(name, ms, rows ?? 0);
    if (this.events === null && !this.channels.sql.hasSubscribers) return;
    const failed = rows === null;
    const event: SqlExchange = { kind: 'sql', name, started, ms, failed, rows: rows ?? 0, text, parameters };
    this.events?.push(event);
    this.channels.sql.publish(event);
  }

  /**
   * Counts a statement that was sent for other requests, too, if it was sent. The shared trace has reported it to the channels.
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
   * Counts one round trip to Redis that has ended.
   *
   * @param name the main command, such as `MGET`
   * @param keys the keys of entities
   * @param started when it was sent, in milliseconds on the monotonic clock
   * @param work what Redis did; `null` when it failed
   * @param node the node of a cluster that was asked; `null` for a single Redis
   */
  roundTrip(
    name: string,
    keys: readonly string[],
    started: number,
    work: RedisWork | null,
    node: string | null = null,
  ): void {
    const ms = this.clock.now() - started;
    const commands = work?.commands ?? 0;
    this.redis.commands += commands;
    this.redis.ms += ms;
    if (this.events === null && !this.channels.redis.hasSubscribers) return;
    const failed = work === null;
    const hits = work?.hits ?? null;
    const event: RedisExchange = { kind: 'redis', name, node, started, ms, failed, keys, commands, hits };
    this.events?.push(event);
    this.channels.redis.publish(event);
  }

  /**
   * @param entity the entity's name, such as `Campaign`
   * @returns its counters, which are made at first use and may be added to
   */
  entity(entity: string): CacheCounts {
    const known = this.cache[entity];
    if (known !== undefined) return known;
    const counts = noCounts();
    this.cache[entity] = counts;
    return counts;
  }
}
