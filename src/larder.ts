import { openCache } from './cache/open-cache.ts';
import { REDIS_TIMEOUT_MS } from './cache/redis/connection.ts';
import { withRedisAdvice } from './cache/redis/fitness.ts';
import { SharedPointBuckets } from './cache/redis/point-buckets.ts';
import { parseRedisUrl } from './cache/redis/url.ts';
import { faceOf } from './cache/redis-face.ts';
import { refusalOf } from './cache/refusals.ts';
import { systemClock } from './clock.ts';
import { Closers } from './closers.ts';
import { CatalogWatch } from './entity/catalog-watch.ts';
import type { Larder } from './larder-face.ts';
import { warnOfRefusal, warnOfSilence } from './larder-logger.ts';
import { checkNames } from './larder-names.ts';
import { checkNumbers, named } from './larder-numbers.ts';
import { type LarderOptions, redisSource } from './larder-options.ts';
import { checkReplicas, openReplicas, unfitReplicas } from './larder-replicas.ts';
import { hasOutbox } from './outbox/domains.ts';
import { startDrainer } from './outbox/drainer.ts';
import { NO_DRAINER } from './outbox/drainer-face.ts';
import { startNodeDrainers } from './outbox/node-drainers.ts';
import { createSelfAudit } from './outbox/self-audit.ts';
import { withPostgresAdvice } from './postgres/advice.ts';
import { isAnswering } from './postgres/answering.ts';
import { openDatabase } from './postgres/client.ts';
import { explain } from './postgres/explain.ts';
import { targetOf } from './postgres/source.ts';
import { repeatFilter } from './repeat-filter.ts';
import { Context, scopeFor } from './repository/context.ts';
import { examine } from './repository/doctor.ts';
import { definitionsOf, type Entities, openRepositories, type RepositoriesOf } from './repository/entity.ts';
import { ownTransaction } from './repository/own-transaction.ts';
import { openChannels } from './trace/channels.ts';
import { Trace } from './trace/trace.ts';

/** Connections to Postgres that the nodes of a cluster have for the outbox. */
const NODE_DRAINS = 3;

/**
 * Opens a Larder. It connects to the stores in the background, and begins to invalidate the bodies of changed rows.
 *
 * @param options the entities, and where the stores are
 * @returns the repositories of the entities, and what a server needs beside them; whoever opened it closes it
 * @throws {TypeError} naming the entity, the list and the column that cannot be served; what was opened is closed again
 * @throws {WrongValue} naming an option that there is not, or an address that cannot be parsed; then nothing was opened
 * @throws {RangeError} naming a number that is out of range; then nothing was opened
 */
export async function createLarder<const E extends Entities>(
  options: LarderOptions<E>,
): Promise<Larder<RepositoriesOf<E>>> {
  checkNames(options);
  const { clock = systemClock } = options;
  const { poolSize = 4, statementTimeoutMs = 5000, requestTimeoutMs = 10_000 } = options.postgres;
  const { prefix = '', ttlMs = 300_000, maxStalenessMs = 5000, memoryTtlMs = 1000 } = options.cache ?? {};
  const { memoryMaxEntries = 100_000, memoryMaxBytes, selfAuditRate = 0.0001 } = options.cache ?? {};
  const redisTimeoutMs = options.redis?.timeoutMs ?? REDIS_TIMEOUT_MS;
  const fault = repeatFilter(clock, (about, reason, repeats) =>
    options.logger?.warn(repeats === 0 ? { reason } : { reason, repeats }, about),
  );
  const warn = (message: string) => (error: Error) => fault(message, reasonOf(error), refusalOf(error));
  const onRedisError = warn('Redis failed');
  checkNumbers(
    { statementTimeoutMs, requestTimeoutMs, redisTimeoutMs, maxStalenessMs, memoryTtlMs },
    { poolSize, ttlMs, memoryMaxEntries, memoryMaxBytes, selfAuditRate },
  );

  const channels = openChannels();
  const closers = new Closers();
  const close = () => closers.close();
  try {
    const url = options.postgres.client ?? options.postgres.url;
    const { unheeded } = named(`postgres.${options.postgres.client ? 'client' : 'url'}`, () => targetOf(url));
    for (const words of unheeded) options.logger?.warn({}, `in the URL of Postgres, ${words}`);
    checkReplicas(options.postgres, options.logger);
    const redisUrl = named('redis', () => redisSource(options.redis ?? null));
    if (typeof redisUrl === 'string') named('redis.url', () => parseRedisUrl(redisUrl));
    const connection = { url, statementTimeoutMs, clock, channels };
    const common = { ...connection, poolSize, requestTimeoutMs };
    const database = openDatabase(common);
    closers.add(database.close);
    const settings = { redisUrl, redisTimeoutMs, prefix, ttlMs, memoryTtlMs, channels };
    const memory = { memoryMaxEntries, memoryMaxBytes };
    const opened = named('redis.connect', () =>
      openCache({ ...settings, ...memory }, onRedisError, clock, warnOfSilence(options.logger)),
    );
    const { cache, cluster, memoryUse, silent } = opened;
    closers.add(opened.close);
    const redis = faceOf(opened, clock);
    // The nodes of a cluster share some: one that hangs must not keep the others from being vouched for.
    const drains = openDatabase({ ...connection, poolSize: cluster === null ? 1 : NODE_DRAINS });
    closers.add(drains.close);
    const audit = createSelfAudit({
      rate: selfAuditRate,
      maxStalenessMs,
      onError: warn('an answer was not audited'),
      clock,
      channel: channels.audit,
    });
    closers.add(audit.close);
    const catalog = new CatalogWatch({
      database: drains,
      cache,
      boundMs: maxStalenessMs,
      onError: warn('the columns are wrong, or could not be read'),
      onUnwatched: warn('reads by id ask Postgres for versions first'),
      clock,
    });
    const surroundings = { common, primary: database, beat: drains, closers, logger: options.logger, onUnfit: fault };
    const atReplicas = await openReplicas(options.postgres, surroundings);
    const storage = { database, ...atReplicas, cache, onInvalidationFailed: onRedisError, audit, catalog };
    const repositories = openRepositories(options.entities, storage);
    catalog.start();
    closers.add(() => catalog.stop());
    if (redis === null) options.logger?.info('no Redis: bodies are cached in the memory of this process alone');
    else if (!(await redis.connected(1000))) {
      options.logger?.warn({}, 'Redis does not answer: serving from Postgres until it does');
    }
    await catalog.known(1000);
    const drain = () => {
      const about = {
        database: drains,
        boundMs: maxStalenessMs - memoryTtlMs,
        onError: warn('the outbox was not drained'),
        onRefused: warnOfRefusal(options.logger),
      };
      return cluster === null
        ? startDrainer({ ...about, cache, redis: opened.redis })
        : startNodeDrainers(cluster, about);
    };
    // A role that may only read some tables of others sees no outbox. Entities that are all unwatched need none.
    const isNeeded = redis !== null || catalog.triggers.hasEntities || (await hasOutbox(drains).catch(() => true));
    const drainer = isNeeded ? drain() : NO_DRAINER;
    closers.add(drainer.stop);
    return {
      repositories,
      createContext: (given) =>
        new Context(
          repositories,
          scopeFor(given, () => new Trace({ clock, channels })),
        ),
      transaction: (work, scope) => ownTransaction(storage, work, scope),
      channels,
      stores: { postgres: url, statementTimeoutMs, redis: redisUrl, prefix },
      entities: options.entities,
      health: {
        postgres: () => isAnswering(database, drains),
        redis: async () => (redis === null ? null : redis.ping()),
        outbox: drainer.status,
        refused: drainer.refused,
        domain: () => {
          if (redis === null) return null;
          if (drainer.refused() !== null) return 'refused';
          return cache.admitted ? 'joined' : 'joining';
        },
        problems: () => {
          const problem = drainer.problem();
          const found = [...(redis?.problems() ?? []), drainer.refused(), problem && reasonOf(problem)];
          if (catalog.missing !== '') found.push(`The database lacks columns of ${catalog.missing}.`);
          if (!catalog.isCurrent())
            found.push('The columns of the tables are not known, so that no cache is used: the log says why.');
          found.push(...catalog.triggers.unwatched);
          found.push(...unfitReplicas(atReplicas.replicas));
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
        breakerOpen: () => redis?.breakerOpen() ?? null,
        refused: () => (redis === null ? null : drainer.refused() !== null),
        drains: isNeeded,
        memoryUse,
        silent,
        replicas: () => atReplicas.replicas ?? null,
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
    // An error of closing is logged, and does not hide the first error.
    await close().catch((closing: unknown) =>
      options.logger?.warn({ reason: String(closing) }, 'a store was not closed'),
    );
    throw error;
  }
}

/** The error of a store, with what to do about it. */
function reasonOf(error: Error): string {
  return withRedisAdvice(withPostgresAdvice(error));
}
