import { type Logger, pino } from 'pino';
import { entities } from './app/entities.ts';
import { EXAMPLE_QUERY } from './app/example-query.ts';
import { buildGraphQLSchema } from './app/schema.ts';
import { openCache } from './cache/open-cache.ts';
import { SharedPointBuckets } from './cache/point-buckets.ts';
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { openDatabase } from './db/client.ts';
import { explain } from './db/explain.ts';
import { type Drainer, startDrainer } from './repository/drainer.ts';
import { openRepositories } from './repository/entity.ts';
import { createSelfAudit } from './repository/self-audit.ts';
import { createApp } from './server/app.ts';
import { createMetricsApp } from './server/metrics.ts';
import { RecordedStatements } from './server/recorded-statements.ts';
import type { Tracing } from './server/tracing.ts';
import { loadTrustedDocuments } from './server/trusted-documents.ts';

/** A server that is listening. */
export interface Larder {
  /** Where the public routes are, such as `http://127.0.0.1:4000`. */
  readonly url: string;
  /** Where `/metrics` is. */
  readonly metricsUrl: string;
  /** Lets clients and proxies go elsewhere, and goes on answering meanwhile. */
  drain(): Promise<void>;
  /** Answers what was accepted, then closes everything that `assemble` opened. */
  close(): Promise<void>;
}

/**
 * Opens the stores, puts the layers together and listens.
 *
 * @param config the settings; a port of 0 picks a free one
 * @returns the running server
 * @throws when a port is taken or Postgres' address is wrong
 */
export async function assemble(config: Config): Promise<Larder> {
  const database = openDatabase({ ...config.database, requestTimeoutMs: config.limits.requestTimeoutMs });
  const drains = openDatabase({ ...config.database, poolSize: 1 });
  const logger = pino({
    level: config.logLevel,
    ...(config.production ? {} : { transport: { target: 'pino-pretty' } }),
  });
  const onRedisError = (error: Error) => logger.warn({ reason: error.message }, 'Redis failed');
  const { cache, redis, close: closeCache } = openCache(config.cache, onRedisError);
  const tracing = config.otlpEndpoint === null ? null : await openTracing(config.otlpEndpoint, logger);
  const { limits, documents, auth, http } = config;
  const { selfAuditRate: rate, maxStalenessMs, memoryTtlMs, memoryMaxEntries } = config.cache;
  const onAuditError = (error: Error) => logger.warn({ reason: error.message }, 'an answer was not audited');
  const audit = createSelfAudit({ rate, maxStalenessMs, onError: onAuditError });
  const repositories = openRepositories(entities, { database, cache, onInvalidationFailed: onRedisError, audit });
  let drainer: Drainer | null = null;
  const outbox = () => drainer?.status() ?? null;
  const app = await createApp({
    repositories,
    health: { postgres: database.ping, redis: async () => (redis === null ? null : redis.ping()), outbox },
    inspect: config.inspect,
    graphiql: config.graphiql ? { exampleQuery: EXAMPLE_QUERY } : null,
    graphql: {
      schema: buildGraphQLSchema(),
      auth,
      documents: loadTrustedDocuments(documents.file, documents.only),
      maxCost: limits.maxCost,
      buckets:
        limits.rate === null
          ? null
          : new SharedPointBuckets(redis, config.cache.prefix, limits.rate.perSecond, limits.rate.maximum),
      introspection: config.introspection,
      corsOrigins: config.corsOrigins,
      cacheControl: documents.cacheControl,
      maxEventLoopDelayMs: limits.maxEventLoopDelayMs,
      statements: config.production ? null : new RecordedStatements(),
      apolloSchema: config.apolloTracing ? buildGraphQLSchema : null,
    },
    explain: (text, parameters) => explain(database, text, parameters),
    logger,
    slowRequestMs: config.slowRequestMs,
    tracing,
    trustProxy: config.trustProxy,
    bodyLimitBytes: limits.bodyBytes,
    requestTimeoutMs: limits.requestTimeoutMs,
    keepAliveTimeoutMs: http.keepAliveTimeoutMs,
    clock: systemClock,
  });
  if (redis === null) logger.info('no REDIS_URL: bodies are cached in the memory of this process alone');
  else if (!(await redis.connected(1000))) logger.warn('Redis does not answer: serving from Postgres until it does');
  drainer = startDrainer({
    database: drains,
    cache,
    boundMs: maxStalenessMs - memoryTtlMs,
    onError: (error) => logger.warn({ reason: error.message }, 'the outbox was not drained'),
  });
  const metrics = createMetricsApp({
    entities: Object.keys(repositories),
    pool: () => ({
      statements: database.gate,
      bodies: database.bodyGate,
      transactions: database.transactionGate,
    }),
    breakerOpen: () => redis?.breakerOpen ?? null,
    outbox,
    maxStalenessMs,
    memoryTtlMs: memoryMaxEntries === 0 ? 0 : memoryTtlMs,
  });
  const url = await app.listen({ host: http.host, port: http.port });
  const metricsUrl = `${await metrics.listen(config.metrics)}/metrics`;
  return {
    url,
    metricsUrl,
    drain: () => app.drain(http.shutdownDelayMs, http.shutdownTimeoutMs / 2),
    close: async () => {
      await app.close();
      audit.close();
      await drainer?.stop();
      await Promise.all([metrics.close(), closeCache(), database.close(), drains.close(), tracing?.close()]);
    },
  };
}

/** Loaded only where it is wanted. */
async function openTracing(endpoint: string, logger: Logger): Promise<Tracing> {
  const { startTracing } = await import('./server/tracing.ts');
  return startTracing(endpoint, (reason) => logger.warn({ reason }, 'traces could not be sent'));
}
