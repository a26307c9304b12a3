import type { Redis } from 'ioredis';
import { createScope, type Scope } from './bodies/scope.ts';
import type { MemoryUse } from './cache/memory/tier.ts';
import { openCache } from './cache/open-cache.ts';
import { REDIS_TIMEOUT_MS } from './cache/redis/connection.ts';
import { withRedisAdvice } from './cache/redis/fitness.ts';
import { SharedPointBuckets } from './cache/redis/point-buckets.ts';
import type { RedisClientOptions, RedisSource } from './cache/redis/source.ts';
import { parseRedisUrl } from './cache/redis/url.ts';
import { refusalsOnce } from './cache/refusals.ts';
import { type Clock, systemClock } from './clock.ts';
import { Closers } from './closers.ts';
import { CatalogWatch } from './entity/catalog-watch.ts';
import { type LarderLogger, warnOfSilence } from './larder-logger.ts';
import { checkNumbers } from './larder-numbers.ts';
import { hasOutbox } from './outbox/domains.ts';
import { type Drainer, NO_DRAINER, startDrainer } from './outbox/drainer.ts';
import { createSelfAudit } from './outbox/self-audit.ts';
import { withPostgresAdvice } from './postgres/advice.ts';
import { openDatabase } from './postgres/client.ts';
import type { DrizzleTransaction } from './postgres/drizzle-session.ts';
import { explain } from './postgres/explain.ts';
import { type PostgresClient, type PostgresSource, targetOf } from './postgres/source.ts';
import { repeatFilter } from './repeat-filter.ts';
import { Context, type LarderContext } from './repository/context.ts';
import { examine, type Finding } from './repository/doctor.ts';
import { definitionsOf, type Entities, openRepositories, type RepositoriesOf } from './repository/entity.ts';
import { ownTransaction } from './repository/own-transaction.ts';
import { type Channels, openChannels } from './trace/channels.ts';
import { Trace } from './trace/trace.ts';
import { WrongValue } from './wrong-value.ts';

/** What to do when this process may not use what Redis holds. */
const REFUSED_REMEDY =
  'Give this database a Redis or a prefix of its own. If it takes the place of the other, stop the servers of that and empty Redis (FLUSHDB, or delete all keys with the prefix).';

/** Where Postgres is: an address, or a client of postgres.js, which Larder connects as, on connections of its own. */
export type PostgresPlace =
  | { readonly url: string; readonly client?: never }
  | { readonly client: PostgresClient; readonly url?: never };

/** Where Postgres is, and how much of it to use. */
export type PostgresOptions = PostgresPlace & PostgresLimits;

/** How much of Postgres to use. */
export interface PostgresLimits {
  /** Connections that reads share; writes have as many more, the outbox one. 4 when it is not given. */
  readonly poolSize?: number;
  /** After this time a statement is cancelled, in milliseconds. 5,000 when it is not given. */
  readonly statementTimeoutMs?: number;
  /** How long a request may take in all, in milliseconds. 10,000 when it is not given. */
  readonly requestTimeoutMs?: number;
}

/**
 * Where Redis is: an address; a client of ioredis, of which Larder makes duplicates; or what makes a client with options, as for Sentinel:
 * `connect: (options) => new Redis({ sentinels, name: 'mymaster', ...options })`.
 */
export type RedisPlace =
  | { readonly url: string; readonly client?: never; readonly connect?: never }
  | { readonly client: Redis; readonly url?: never; readonly connect?: never }
  | { readonly connect: (options: RedisClientOptions) => Redis; readonly url?: never; readonly client?: never };

/** What caches keep, for how long, and how old it may be. */
export interface CacheOptions {
  /** Comes before every key in Redis. */
  readonly prefix?: string;
  /** How long a body is kept, in milliseconds. 300,000 when it is not given. */
  readonly ttlMs?: number;
  /** How old an answer to a read by id may be, in milliseconds. 5,000 when it is not given. */
  readonly maxStalenessMs?: number;
  /** How long memory answers by id without news of what changed, in milliseconds. 1,000 when it is not given. */
  readonly memoryTtlMs?: number;
  /** How many entities memory keeps, and how many in whole pages; 0 for none. 100,000 when it is not given. */
  readonly memoryMaxEntries?: number;
  /** What memory may take, in bytes, in halves for single entities and for whole pages. A quarter of the heap when it is not given. */
  readonly memoryMaxBytes?: number | undefined;
  /** Which share of what caches answer to reads by id is checked against Postgres, from 0 to 1. 0.0001 when it is not given. */
  readonly selfAuditRate?: number;
}

/** What a Larder is made of. */
export interface LarderOptions<E extends Entities> {
  readonly entities: E;
  readonly postgres: PostgresOptions;
  /** `null`, or left out, for the memory of this process alone. A round trip may take `timeoutMs`; 100 when it is not given. */
  readonly redis?: (RedisPlace & { readonly timeoutMs?: number }) | null;
  readonly cache?: CacheOptions;
  /** Nothing is said when it is left out. */
  readonly logger?: LarderLogger;
  /** The time; the machine's when it is left out. */
  readonly clock?: Clock;
}

/** The entities of some tables, cached and batched. */
export interface Larder<R = Readonly<Record<string, unknown>>> extends AsyncDisposable {
  /** A repository for each entity, by the entity's name. */
  readonly repositories: R;
  /**
   * @param scope what belongs to a request; one that has read nothing when it is left out
   * @returns the context of a request to any GraphQL server
   */
  createContext(scope?: Scope): LarderContext<R>;
  /**
   * Does work of your own in a transaction of Drizzle. When it returns, every process reads what was written, by cascades and triggers, too.
   * In all it may take `statementTimeoutMs`.
   *
   * @param work its statements go through the transaction that it is given, each awaited; it is done once
   * @param scope what belongs to the request that asks; none when it is left out
   * @returns what `work` returns
   * @throws what `work` throws; then nothing was written
   */
  transaction<T>(work: (transaction: DrizzleTransaction) => Promise<T>, scope?: Scope): Promise<T>;
  /** What it tells of itself while it works, for metrics and traces. */
  readonly channels: Channels;
  /** Whether the stores answer, and what waits to be told to the caches. */
  readonly health: {
    postgres(): Promise<boolean>;
    /** `null` when no Redis is configured. */
    redis(): Promise<boolean | null>;
    /** `null` until the outbox has been looked into. */
    outbox(): ReturnType<Drainer['status']>;
    /** Why nothing that Redis holds is used, although it answers; `null` when it is used. */
    refused(): string | null;
    /** What is wrong, although the stores answer, and what to do: a line for each; none when all is well. */
    problems(): readonly string[];
    /** Whether a table is missing, so that nearly every query fails: the database was never migrated. */
    unmigrated(): boolean;
  };
  /** What is asked when metrics are read. */
  readonly gauges: {
    pool(): Readonly<Record<string, { readonly inside: number; readonly waiting: number }>>;
    /** Whether Redis is not even tried at the moment; `null` when none is configured. */
    breakerOpen(): boolean | null;
    /** Whether nothing that Redis holds is used, since it belongs to another database; `null` when no Redis is configured. */
    refused(): boolean | null;
    /** The processes that mutations do not wait for any more, since they do not acknowledge. */
    silent(): readonly string[];
    /** How much is in memory, by kind. */
    memoryUse(): Readonly<Record<string, MemoryUse>>;
    readonly maxStalenessMs: number;
    /** What memory may add to the age of an answer, in milliseconds. */
    readonly memoryTtlMs: number;
    /** The time that the outbox was looked into by. */
    readonly clock: Clock;
  };
  /**
   * @param perSecond points that flow into each client's bucket, a second
   * @param maximum the most that a bucket holds
   * @returns buckets that all processes of the same Redis and prefix share
   */
  pointBuckets(perSecond: number, maximum: number): SharedPointBuckets;
  /**
   * @param text a statement that a request has sent
   * @param parameters the values of its places
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
   * Looks whether the database has the indexes that the lists need, and what else they are told.
   *
   * @returns what is wrong, each with the statement that mends it; nothing when all is well
   * @throws {DatabaseUnavailable} when Postgres does not answer in time
   */
  doctor(): Promise<readonly Finding[]>;
  /** Ends what it opened, after the statements under way. */
  close(): Promise<void>;
}

/**
 * Opens a Larder: connects to the stores in the background, and begins to drop the bodies of changed rows.
 *
 * @param options the entities, and where the stores are
 * @returns the repositories of the entities, and what a server needs beside them; whoever opened it closes it
 * @throws {TypeError} naming the entity, the list and the column that cannot be served; what was opened is closed again
 * @throws {WrongValue} naming an address that is not understood; then nothing was opened
 * @throws {RangeError} naming a number that cannot be meant; then nothing was opened
 */
export async function createLarder<const E extends Entities>(
  options: LarderOptions<E>,
): Promise<Larder<RepositoriesOf<E>>> {
  const { clock = systemClock } = options;
  const { poolSize = 4, statementTimeoutMs = 5000, requestTimeoutMs = 10_000 } = options.postgres;
  const { prefix = '', ttlMs = 300_000, maxStalenessMs = 5000, memoryTtlMs = 1000 } = options.cache ?? {};
  const { memoryMaxEntries = 100_000, memoryMaxBytes, selfAuditRate = 0.0001 } = options.cache ?? {};
  const redisTimeoutMs = options.redis?.timeoutMs ?? REDIS_TIMEOUT_MS;
  const fault = repeatFilter(clock, (about, reason, repeats) =>
    options.logger?.warn(repeats === 0 ? { reason } : { reason, repeats }, about),
  );
  const warn = (message: string) => (error: Error) => fault(message, reasonOf(error));
  const onRedisError = refusalsOnce(warn('Redis failed'), clock);
  checkNumbers(
    { statementTimeoutMs, requestTimeoutMs, redisTimeoutMs, maxStalenessMs, memoryTtlMs },
    { ttlMs, memoryMaxEntries, memoryMaxBytes },
  );

  const channels = openChannels();
  const closers = new Closers();
  const close = () => closers.close();
  try {
    const url = options.postgres.client ?? options.postgres.url;
    const { unheeded } = named(`postgres.${typeof url === 'string' ? 'url' : 'client'}`, () => targetOf(url));
    for (const words of unheeded) options.logger?.warn({}, `in the URL of Postgres, ${words}`);
    const redisUrl = redisSource(options.redis ?? null);
    if (typeof redisUrl === 'string') named('redis.url', () => parseRedisUrl(redisUrl));
    const connection = { url, statementTimeoutMs, clock, channels };
    const database = openDatabase({ ...connection, poolSize, requestTimeoutMs });
    closers.add(database.close);
    const drains = openDatabase({ ...connection, poolSize: 1 });
    closers.add(drains.close);
    const settings = { redisUrl, redisTimeoutMs, prefix, ttlMs, memoryTtlMs, channels };
    const memory = { memoryMaxEntries, memoryMaxBytes };
    const {
      cache,
      redis,
      memoryUse,
      silent,
      close: closeCache,
    } = named('redis.connect', () =>
      openCache({ ...settings, ...memory }, onRedisError, clock, warnOfSilence(options.logger)),
    );
    closers.add(closeCache);
    const onAuditError = warn('an answer was not audited');
    const audit = createSelfAudit({
      rate: selfAuditRate,
      maxStalenessMs,
      onError: onAuditError,
      clock,
      channel: channels.audit,
    });
    closers.add(audit.close);
    const onCatalogError = warn('the columns are not what they should be, or not known');
    const catalog = new CatalogWatch({
      database: drains,
      cache,
      boundMs: maxStalenessMs,
      onError: onCatalogError,
      onUnheard: warn('reads by id ask Postgres for versions first'),
      clock,
    });
    const storage = { database, cache, onInvalidationFailed: onRedisError, audit, catalog };
    const repositories = openRepositories(options.entities, storage);
    catalog.start();
    closers.add(() => catalog.stop());
    if (redis === null) options.logger?.info('no Redis: bodies are cached in the memory of this process alone');
    else if (!(await redis.connected(1000))) {
      options.logger?.warn({}, 'Redis does not answer: serving from Postgres until it does');
    }
    await catalog.known(1000);
    const drain = () =>
      startDrainer({
        database: drains,
        cache,
        redis,
        boundMs: maxStalenessMs - memoryTtlMs,
        onError: warn('the outbox was not drained'),
        onRefused: (reason) => {
          if (reason === null) options.logger?.info('what Redis holds is used again');
          else options.logger?.warn({ reason, remedy: REFUSED_REMEDY }, 'nothing that Redis holds is used');
        },
      });
    // A role that may read some tables of others, and nothing else, has no outbox: what is not watched needs none.
    const isNeeded = redis !== null || catalog.hearing.listens || (await hasOutbox(drains).catch(() => true));
    const drainer = isNeeded ? drain() : NO_DRAINER;
    closers.add(drainer.stop);
    return {
      repositories,
      createContext: (scope = createScope(new Trace({ clock, channels }))) => new Context(repositories, scope),
      transaction: (work, scope) => ownTransaction(storage, work, scope),
      channels,
      stores: { postgres: url, statementTimeoutMs, redis: redisUrl, prefix },
      entities: options.entities,
      health: {
        postgres: database.ping,
        redis: async () => (redis === null ? null : redis.ping()),
        outbox: drainer.status,
        refused: drainer.refused,
        problems: () => {
          const problem = drainer.problem();
          const found = [redis?.unfit, drainer.refused(), problem && reasonOf(problem)];
          if (catalog.missing !== '') found.push(`The database lacks columns of ${catalog.missing}.`);
          found.push(...catalog.hearing.unheard);
          return found.filter((line) => line != null);
        },
        unmigrated: () => catalog.lacksTable,
      },
      gauges: {
        pool: () => ({
          statements: database.gate,
          bodies: database.bodyGate,
          transactions: database.transactionGate,
        }),
        breakerOpen: () => redis?.breakerOpen ?? null,
        refused: () => (redis === null ? null : drainer.refused() !== null),
        memoryUse,
        silent,
        maxStalenessMs,
        memoryTtlMs: memoryMaxEntries === 0 || memoryMaxBytes === 0 ? 0 : memoryTtlMs,
        clock,
      },
      pointBuckets: (perSecond, maximum) => new SharedPointBuckets(redis, prefix, perSecond, maximum, clock),
      doctor: () => examine(drains, definitionsOf(options.entities)),
      explain: (text, parameters) => explain(database, text, parameters),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    // What cannot be closed either is said, and hides not why.
    await close().catch((closing: unknown) =>
      options.logger?.warn({ reason: String(closing) }, 'a store was not closed'),
    );
    throw error;
  }
}

function redisSource(place: RedisPlace | null): RedisSource | null {
  if (place === null) return null;
  const { url, client, connect } = place;
  return client === undefined ? (connect ?? url) : (options) => client.duplicate(options) as Redis;
}

/** Says which option it is that cannot be meant. */
function named<T>(option: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    throw new WrongValue(`${option}: ${error.message}`, { cause: error });
  }
}

/** What went wrong with a store, with what to do about it. */
function reasonOf(error: Error): string {
  return withRedisAdvice(withPostgresAdvice(error));
}
