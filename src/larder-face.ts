import type { Scope } from './bodies/scope.ts';
import type { MemoryUse } from './cache/memory/tier.ts';
import type { SharedPointBuckets } from './cache/redis/point-buckets.ts';
import type { RedisSource } from './cache/redis/source.ts';
import type { Clock } from './clock.ts';
import type { Drainer } from './outbox/drainer-face.ts';
import type { DrizzleTransaction } from './postgres/drizzle-session.ts';
import type { Replicas } from './postgres/replicas.ts';
import type { PostgresSource } from './postgres/source.ts';
import type { LarderContext, RequestOptions } from './repository/context.ts';
import type { Finding } from './repository/doctor.ts';
import type { Entities } from './repository/entity.ts';
import type { Channels } from './trace/channels.ts';

/** The entities of some tables, cached and batched. */
export interface Larder<R = Readonly<Record<string, unknown>>> extends AsyncDisposable {
  /** A repository for each entity, by the entity's name. */
  readonly repositories: R;
  /**
   * @param given the state of a request, or what the request brings with it; a new state when it is left out
   * @returns the context of a request, for any GraphQL server
   * @throws {InvalidInput} for a position that Larder never gave out
   */
  createContext(given?: Scope | RequestOptions): LarderContext<R>;
  /**
   * Does work of your own in a transaction of Drizzle. When it returns, every process reads what was written, also by cascades and
   * triggers. All of it may take `statementTimeoutMs`.
   *
   * @param work sends its statements through the transaction, each awaited; it runs once
   * @param scope the state of the request; none when it is left out
   * @returns what `work` returns
   * @throws what `work` throws; then nothing was written
   * @throws {DatabaseUnavailable} when the connection is lost, or the time of a statement is over, before `work` has thrown
   */
  transaction<T>(work: (transaction: DrizzleTransaction) => Promise<T>, scope?: Scope): Promise<T>;
  /** Reports what it does, for metrics and traces. */
  readonly channels: Channels;
  /** Whether the stores answer, and how many changes wait to be invalidated. */
  readonly health: {
    postgres(): Promise<boolean>;
    /** `null` when no Redis is configured. */
    redis(): Promise<boolean | null>;
    /** `null` before the first look at the outbox. */
    outbox(): ReturnType<Drainer['status']>;
    /** Why Redis is not used, although it answers; `null` when it is used. */
    refused(): string | null;
    /**
     * Whether Redis is used: `joined` when it is, `joining` until it is known to belong to this database, `refused` when it belongs to
     * another. It is `null` when none is configured.
     */
    domain(): 'joined' | 'joining' | 'refused' | null;
    /** What is wrong, although the stores answer, and what to do: a line for each. There is none when all is well. */
    problems(): readonly string[];
    /** Whether a table is missing, so that nearly every query fails. Then the database was never migrated. */
    unmigrated(): boolean;
  };
  /** Asked when metrics are read. */
  readonly gauges: {
    pool(): Readonly<Record<string, { readonly inside: number; readonly waiting: number }>>;
    /** Whether Redis is not tried at the moment, for a cluster by node; `null` when none is configured. */
    breakerOpen(): boolean | ReadonlyMap<string, boolean> | null;
    /** Whether Redis is not used, because it belongs to another database; `null` when none is configured. */
    refused(): boolean | null;
    /** The processes that mutations no longer wait for, because they do not acknowledge. */
    silent(): readonly string[];
    /** The replicas of Postgres; `null` when none is configured. */
    replicas(): Pick<Replicas, 'states' | 'instead'> | null;
    /** Whether there is an outbox to drain. */
    readonly drains: boolean;
    /** How much is in memory, by kind. */
    memoryUse(): Readonly<Record<string, MemoryUse>>;
    readonly maxStalenessMs: number;
    /** What memory may add to the age of an answer, in milliseconds. */
    readonly memoryTtlMs: number;
    /** The clock of the outbox's times. */
    readonly clock: Clock;
  };
  /**
   * @param perSecond how many points flow into each client's bucket in a second
   * @param maximum the most that a bucket holds
   * @returns buckets that all processes with the same Redis and prefix share
   */
  pointBuckets(perSecond: number, maximum: number): SharedPointBuckets;
  /**
   * @param text the SQL of a statement that a request has sent
   * @param parameters its parameters
   * @returns the lines of its plan; `null` when the parameters do not fit
   */
  explain(text: string, parameters: readonly unknown[]): Promise<string[] | null>;
  /** Where its stores are, for tools. */
  readonly stores: {
    readonly postgres: PostgresSource;
    readonly statementTimeoutMs: number;
    readonly redis: RedisSource | null;
    readonly prefix: string;
  };
  /** The entities that it was opened with. */
  readonly entities: Entities;
  /**
   * Checks whether the database has the indexes that the lists need, and whether its columns fit the declarations.
   *
   * @returns what is wrong, each with the statement that mends it; nothing when all is well
   * @throws {DatabaseUnavailable} when Postgres does not answer in time
   */
  doctor(): Promise<readonly Finding[]>;
  /** Closes what it opened, after the statements under way. */
  close(): Promise<void>;
}
