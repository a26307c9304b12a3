import { entities, type Repositories } from '../../src/app/entities.ts';
import { createScope, type Scope } from '../../src/bodies/scope.ts';
import { InvalidationBus } from '../../src/cache/bus/invalidation-bus.ts';
import type { Echo } from '../../src/cache/bus/messages.ts';
import { EntityCache } from '../../src/cache/entity-cache.ts';
import type { PageMemory } from '../../src/cache/memory/page-memory.ts';
import type { MemoryLimits } from '../../src/cache/memory/tier.ts';
import { type OpenCache, openCache, openMemory } from '../../src/cache/open-cache.ts';
import type { RedisTier } from '../../src/cache/redis/tier.ts';
import { faceOf } from '../../src/cache/redis-face.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { startDrainer } from '../../src/outbox/drainer.ts';
import type { Drainer } from '../../src/outbox/drainer-face.ts';
import { Membership } from '../../src/outbox/membership.ts';
import { startNodeDrainers } from '../../src/outbox/node-drainers.ts';
import { type Database, openDatabase } from '../../src/postgres/client.ts';
import { Replicas, type ReplicasOptions } from '../../src/postgres/replicas.ts';
import { openRepositories } from '../../src/repository/entity.ts';
import type { Storage } from '../../src/repository/storage.ts';
import { Trace } from '../../src/trace/trace.ts';
import { REDIS_PATIENCE_MS } from '../support/services.ts';
import { until } from '../support/until.ts';
import { open, type Seam, SeamedRedisTier, seamedDatabase } from './seams.ts';

/** What one process of Larder is made of: everything that `assemble` opens, except its HTTP. */
export interface ProcessOptions {
  readonly databaseUrl: string;
  /** `null` for the memory tier alone. */
  readonly redisUrl: string | null;
  /** Bodies kept in memory; 0 for no memory tier. */
  readonly memoryMaxEntries?: number;
  readonly memoryTtlMs?: number;
  readonly maxStalenessMs?: number;
  readonly ttlMs?: number;
  readonly poolSize?: number;
  /** Whether it drains the outbox and vouches for bodies. */
  readonly drains?: boolean;
  /** Widens races; without it the process is put together by `openCache`, as servers are. On a cluster, only Postgres is asked through it. */
  readonly seam?: Seam;
  /** Parts to put in the place of real ones, to see that a broken protocol is caught. */
  readonly parts?: Parts;
  /** How long a round trip to Redis may take, in milliseconds; `REDIS_PATIENCE_MS` when it is not given. */
  readonly redisTimeoutMs?: number;
  /** The time; the machine's when it is not given. */
  readonly clock?: Clock;
  /** A replica that lists may be read at, and how far behind it may be, in milliseconds; the start waits until it is used. */
  readonly replica?: { readonly url: string; readonly maxLagMs: number };
  /** Whether nobody waits until it may use what Redis holds, which it may never. */
  readonly mayBeRefused?: boolean;
  /** Whether nothing tells the process when rows change, as with entities that are not watched. */
  readonly unwatched?: boolean;
}

/** The parts of a cache that a test may break. */
export interface Parts {
  readonly tier?: (
    url: string,
    onError: (error: Error) => void,
    seam: Seam,
    clock: Clock,
    timeoutMs: number,
  ) => RedisTier;
  readonly pages?: (limits: MemoryLimits) => PageMemory;
  readonly cache?: typeof EntityCache;
  /** Puts something between the repositories and Postgres. */
  readonly through?: (database: Database) => Database;
  readonly bus?: typeof InvalidationBus;
  /** Whether invalidations of other processes arrive. */
  readonly deaf?: boolean;
  /** Where the bus connects, if not where the tier does. */
  readonly busUrl?: string;
  readonly replicas?: typeof Replicas;
  /** Runs in the place of the drainer. */
  readonly drainer?: (options: Parameters<typeof startDrainer>[0]) => Drainer;
}

/** A process of Larder in this one, with connections of its own. */
export interface LarderProcess {
  readonly database: Database;
  readonly cache: EntityCache;
  /** `null` without Redis, and on a cluster. */
  readonly redis: RedisTier | null;
  readonly storage: Storage;
  readonly repositories: Repositories;
  /** The errors that the process would have logged. */
  readonly errors: Error[];
  /** Why it may not use what Redis holds; `null` when it may, or does not know yet. */
  refused(): string | null;
  /** The processes that it waits for no more. */
  silent(): readonly string[];
  /** How many committed writes could not be told to Redis. */
  invalidationsFailed(): number;
  /** A request that has read nothing yet. */
  scope(): Scope;
  /** How a process that does not drain belongs to its cache domain; `null` for one that drains, or has no Redis. */
  readonly membership: Membership | null;
  /**
   * Vouches for what is cached, as a process that drains does; one that drains is waited for.
   *
   * @param ms how long, in milliseconds
   * @param asOf as of when, on the monotonic clock
   */
  vouch(ms: number, asOf: number): Promise<void>;
  /** When it sent the last echo of itself that it has heard, on its clock. */
  heardUpTo(): number;
  /** Starts draining, if it does not drain. */
  drain(): void;
  /** Stops draining. */
  stopDraining(): Promise<void>;
  /** The figures of all requests so far, of all entities together. */
  counts(): Record<string, number>;
  close(): Promise<void>;
}

/** Small enough that a test can wait for it, large enough that a busy machine keeps it. */
export const DEFAULTS = { memoryTtlMs: 300, maxStalenessMs: 2000, ttlMs: 300_000 };

/** Knows the columns, and that no trigger tells of changes. */
const WATCHES_NOTHING: NonNullable<Storage['catalog']> = {
  follow: (space) => ({ space, isWatched: () => false }),
  isCurrent: () => true,
};

/**
 * Opens a process.
 *
 * @param options where its stores are and what it is made of
 * @returns the process, connected to its stores
 */
export async function openProcess(options: ProcessOptions): Promise<LarderProcess> {
  const { databaseUrl, redisUrl, memoryMaxEntries = 100_000, seam, parts, clock = systemClock } = options;
  const memoryTtlMs = options.memoryTtlMs ?? DEFAULTS.memoryTtlMs;
  const maxStalenessMs = options.maxStalenessMs ?? DEFAULTS.maxStalenessMs;
  const settings = {
    redisUrl,
    redisTimeoutMs: options.redisTimeoutMs ?? REDIS_PATIENCE_MS,
    prefix: '',
    ttlMs: options.ttlMs ?? DEFAULTS.ttlMs,
    memoryTtlMs,
    memoryMaxEntries,
  };
  const errors: Error[] = [];
  const onError = (error: Error) => {
    errors.push(error);
  };
  const pool = { url: databaseUrl, statementTimeoutMs: 30_000, clock };
  const database = openDatabase({ ...pool, poolSize: options.poolSize ?? 2 });
  const onCluster = redisUrl?.startsWith('redis+cluster:') === true;
  const opened =
    (seam === undefined || onCluster) && parts === undefined
      ? openCache(settings, onError, clock)
      : assembleCache(settings, seam ?? open, parts ?? {}, onError, clock);
  const { cache, redis, cluster } = opened;
  const drains = openDatabase({ ...pool, poolSize: cluster === null ? 1 : 3 });
  let heardUpTo = Number.NEGATIVE_INFINITY;
  const hear = cache.heard.bind(cache);
  cache.heard = (echo) => {
    hear(echo);
    heardUpTo = echo.sent;
  };
  const face = faceOf(opened, clock);
  if (face !== null && !(await face.connected(REDIS_PATIENCE_MS))) throw new Error(`No connection to ${redisUrl}`);
  let invalidationsFailed = 0;
  const seamed = seam === undefined ? database : seamedDatabase(database, seam);
  const replicas = await openReplica(options, { clock, poolSize: 1, primary: database, beat: drains });
  const storage: Storage = {
    ...(replicas === null ? {} : { replicas }),
    database: parts?.through?.(seamed) ?? seamed,
    cache,
    ...(options.unwatched === true ? { catalog: WATCHES_NOTHING } : {}),
    onInvalidationFailed: (error) => {
      invalidationsFailed += 1;
      onError(error);
    },
  };
  let drainer: Drainer | null = null;
  const stopDraining = async () => {
    await drainer?.stop();
    drainer = null;
  };
  const drain = () => {
    const options = { database: drains, boundMs: maxStalenessMs - memoryTtlMs, onError, onRefused: () => {} };
    drainer ??=
      cluster === null
        ? (parts?.drainer ?? startDrainer)({ ...options, cache, redis })
        : startNodeDrainers(cluster, options);
  };
  let membership: Membership | null = null;
  if (options.drains ?? true) {
    drain();
    // Until then it neither uses what Redis holds nor fills it: a race put together with such a process would be none.
    if (face !== null && options.mayBeRefused !== true)
      await until('it may use what Redis holds', () => cache.admitted);
  } else if (redis !== null) {
    membership = new Membership({ database: drains, cache, redis, onRefused: () => {} });
    const member = membership;
    const stands = () =>
      member.stand().then(
        (standing) => standing !== null,
        () => false,
      );
    await until('it belongs to its domain', stands);
  }
  // One for all requests: only its sums are of interest.
  const trace = new Trace({ clock });
  return {
    database,
    cache,
    redis,
    storage,
    repositories: openRepositories(entities, storage),
    errors,
    membership,
    vouch: async (ms, asOf) => {
      if (drainer !== null) {
        const { status } = drainer;
        return until('it has vouched', () => (status()?.lookedAt ?? 0) > asOf);
      }
      const standing = (await membership?.stand()) ?? null;
      if (standing === null) throw new Error('It belongs to no domain.');
      await membership?.present(standing.domain, ms, asOf);
    },
    refused: () => drainer?.refused() ?? null,
    silent: opened.silent,
    invalidationsFailed: () => invalidationsFailed,
    heardUpTo: () => heardUpTo,
    scope: () => createScope(trace),
    drain,
    stopDraining,
    counts: () => {
      const total: Record<string, number> = {};
      for (const found of Object.values(trace.cache)) {
        for (const [name, count] of Object.entries(found)) total[name] = (total[name] ?? 0) + count;
      }
      return total;
    },
    close: async () => {
      await stopDraining();
      await Promise.all([opened.close(), replicas?.close()]);
      await Promise.all([database.close(), drains.close()]);
    },
  };
}

/** Waits until it is used: a race put together with one that is not would be none. */
async function openReplica(
  { replica, parts }: ProcessOptions,
  surroundings: Pick<ReplicasOptions, 'clock' | 'poolSize' | 'primary' | 'beat'>,
): Promise<Replicas | null> {
  if (replica === undefined) return null;
  const Opened = parts?.replicas ?? Replicas;
  const { url, maxLagMs } = replica;
  // However slow the machine is, it must not come to be unfit for want of an answer.
  const patient = { ...surroundings, statementTimeoutMs: 60_000 };
  const replicas = new Opened({ ...patient, urls: [url], maxLagMs, onChange: () => {} });
  await replicas.start(1000);
  await until('the replica is used', () => replicas.states()[0]?.unfit === null);
  return replicas;
}

/** As `openCache`, with seams and with whatever parts a test brings. */
function assembleCache(
  settings: Parameters<typeof openCache>[0],
  seam: Seam,
  parts: Parts,
  onError: (error: Error) => void,
  clock: Clock,
): OpenCache {
  const { redisUrl, redisTimeoutMs = REDIS_PATIENCE_MS, prefix, ttlMs, memoryTtlMs, memoryMaxEntries } = settings;
  const Cache = parts.cache ?? EntityCache;
  const { memory, memoryUse, ...made } = openMemory(settings);
  const limits = { entries: memoryMaxEntries, bytes: 100_000_000 };
  const pages = parts.pages === undefined || made.pages === null ? made.pages : parts.pages(limits);
  if (typeof redisUrl !== 'string') {
    const cache = new Cache({ memory, pages, redis: null, bus: null, prefix, ttlMs, memoryTtlMs, clock });
    return { cache, redis: null, cluster: null, memoryUse, silent: () => [], close: async () => {} };
  }
  const redis =
    parts.tier?.(redisUrl, onError, seam, clock, redisTimeoutMs) ??
    new SeamedRedisTier(redisUrl, prefix, onError, seam, clock, redisTimeoutMs);
  const listener = {
    onKeys: (keys: string[]) => {
      if (!parts.deaf) cache.forget(keys);
    },
    onConnected: (connected: boolean) => cache.trust(connected || (parts.deaf ?? false)),
    onEcho: (echo: Echo) => cache.heard(echo),
    onAlive: (asOf: number) => cache.alive(asOf),
    onSilence: () => {},
  };
  const Bus = parts.bus ?? InvalidationBus;
  const bus = new Bus(
    parts.busUrl ?? redisUrl,
    prefix,
    listener,
    redis.tell.bind(redis),
    onError,
    clock,
    redisTimeoutMs,
  );
  const cache = new Cache({ memory, pages, redis, bus, prefix, ttlMs, memoryTtlMs, clock });
  return {
    cache,
    redis,
    cluster: null,
    memoryUse,
    silent: () => bus.silent,
    close: async () => {
      bus.close();
      await redis.close();
    },
  };
}
