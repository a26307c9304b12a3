import type { Logger } from 'pino';
import { type Clock, systemClock } from '../clock.ts';
import { Closers } from '../closers.ts';
import { createApp } from '../http/app.ts';
import { loadTrustedDocuments } from '../http/documents/trusted-documents.ts';
import { RecordedStatements } from '../http/inspector/recorded-statements.ts';
import { needPackages } from '../http/optional-package.ts';
import { createMetricsApp } from '../http/telemetry/metrics.ts';
import type { Tracing } from '../http/telemetry/tracing.ts';
import { createLarder } from '../larder.ts';
import { VERSION } from '../version.ts';
import { type Config, ConfigError } from './config.ts';
import { entities } from './entities.ts';
import { EXAMPLE_QUERY } from './example-query.ts';
import { createLogger } from './process-log.ts';
import { buildGraphQLSchema } from './schema.ts';

/** A server that is listening. */
export interface Server {
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
 * @param logger the log of the process; one of its own when it is not given
 * @param clock the time
 * @returns the running server
 * @throws when a port is taken, a file cannot be read or Postgres' address is wrong; what was opened is closed again
 */
export async function assemble(
  config: Config,
  logger: Logger = createLogger(config.logLevel, config.production),
  clock: Clock = systemClock,
): Promise<Server> {
  const { limits, documents, auth, http } = config;
  for (const { name, nearest } of config.misspelt) {
    logger.warn(
      { variable: name, nearest },
      `the variable ${name} is no setting and is not heeded: did you mean ${nearest}?`,
    );
  }
  needOptionalPackages(config);
  const closers = new Closers();
  const close = () => closers.close();
  try {
    const { redisUrl, redisTimeoutMs, ...cache } = config.cache;
    const larder = await createLarder({
      entities,
      postgres: { ...config.database, requestTimeoutMs: limits.requestTimeoutMs },
      redis: redisUrl === null ? null : { url: redisUrl, timeoutMs: redisTimeoutMs },
      cache,
      logger,
      clock,
    });
    closers.add(larder.close);
    const tracing = config.otlpEndpoint === null ? null : await openTracing(config.otlpEndpoint, logger);
    if (tracing !== null) closers.add(tracing.close);
    const metrics = createMetricsApp({
      entities: Object.keys(entities),
      version: VERSION,
      ...larder.gauges,
      outbox: larder.health.outbox,
    });
    closers.add(() => metrics.close());
    const app = await createApp({
      repositories: larder.repositories,
      health: larder.health,
      version: VERSION,
      inspect: config.inspect,
      graphiql: config.graphiql ? { exampleQuery: EXAMPLE_QUERY } : null,
      graphql: {
        schema: buildGraphQLSchema(),
        auth,
        documents: loadTrustedDocuments(documents.file, documents.only),
        maxCost: limits.maxCost,
        buckets: limits.rate === null ? null : larder.pointBuckets(limits.rate.perSecond, limits.rate.maximum),
        introspection: config.introspection,
        corsOrigins: config.corsOrigins,
        compression: config.compression,
        cacheControl: documents.cacheControl,
        maxEventLoopDelayMs: limits.maxEventLoopDelayMs,
        warnings: !config.production,
        statements: config.production ? null : new RecordedStatements(),
        apolloSchema: config.apolloTracing ? buildGraphQLSchema : null,
      },
      explain: larder.explain,
      logger,
      slowRequestMs: config.slowRequestMs,
      requestLogRate: config.requestLogRate,
      tracing,
      trustProxy: config.trustProxy,
      bodyLimitBytes: limits.bodyBytes,
      requestTimeoutMs: limits.requestTimeoutMs,
      keepAliveTimeoutMs: http.keepAliveTimeoutMs,
      clock,
    });
    closers.add(() => app.close());
    const url = await listening('HOST and PORT', app.listen({ host: http.host, port: http.port }));
    const metricsUrl = `${await listening('METRICS_HOST and METRICS_PORT', metrics.listen(config.metrics))}/metrics`;
    return { url, metricsUrl, drain: () => app.drain(http.shutdownDelayMs, http.shutdownTimeoutMs / 2), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Names the settings that say where it was to be. */
async function listening(settings: string, url: Promise<string>): Promise<string> {
  try {
    return await url;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new ConfigError(`Cannot listen where ${settings} say: ${error.message}`, { cause: error });
  }
}

/** What only some servers want is installed by them alone. */
function needOptionalPackages({ graphiql, otlpEndpoint, apolloTracing }: Config): void {
  if (graphiql) needPackages('GRAPHIQL=true', ['graphiql@3', 'react@18', 'react-dom@18']);
  if (apolloTracing) needPackages('APOLLO_TRACING=true', ['@apollo/usage-reporting-protobuf']);
  if (otlpEndpoint === null) return;
  needPackages('OTEL_EXPORTER_OTLP_ENDPOINT', [
    ...['@fastify/otel', '@opentelemetry/api@1.9', '@opentelemetry/exporter-trace-otlp-proto'],
    ...['@opentelemetry/resources', '@opentelemetry/sdk-trace-node'],
  ]);
}

/** Loaded only where it is wanted. */
async function openTracing(endpoint: string, logger: Logger): Promise<Tracing> {
  const { startTracing } = await import('../http/telemetry/tracing.ts');
  return startTracing(endpoint, (reason) => logger.warn({ reason }, 'traces could not be sent'));
}
