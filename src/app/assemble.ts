import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createServer, metricsServer } from '../http/index.ts';
import { type Clock, createLarder, systemClock } from '../index.ts';
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
  /** Tells clients and proxies to go elsewhere, and goes on answering meanwhile. */
  drain(): Promise<void>;
  /** Answers what was accepted, then closes everything that `assemble` opened. */
  close(): Promise<void>;
}

/**
 * Opens the stores, starts the server on them and listens.
 *
 * @param config the settings; a port of 0 picks a free one
 * @param logger the log of the process; a new one when it is left out
 * @param clock the time
 * @param extend adds routes of one's own, `/` among them; then `/` does not lead to GraphiQL
 * @returns the running server
 * @throws when a port is taken, a file cannot be read or Postgres' address is wrong; what was opened is closed again
 */
export async function assemble(
  config: Config,
  logger: Logger = createLogger(config.logLevel, config.production),
  clock: Clock = systemClock,
  extend: ((app: FastifyInstance) => void) | null = null,
): Promise<Server> {
  for (const { name, nearest } of config.misspelt) {
    logger.warn(
      { variable: name, nearest },
      `the variable ${name} is not a setting and is ignored: did you mean ${nearest}?`,
    );
  }
  const { limits, http } = config;
  const { redisUrl, redisTimeoutMs, ...cache } = config.cache;
  const larder = await createLarder({
    entities,
    postgres: { ...config.database, requestTimeoutMs: limits.requestTimeoutMs },
    redis: redisUrl === null ? null : { url: redisUrl, timeoutMs: redisTimeoutMs },
    cache,
    logger,
    clock,
  });
  const app = await createServer({
    larder,
    schema: buildGraphQLSchema(),
    auth: config.auth,
    limits,
    documents: config.documents,
    introspection: config.introspection,
    inspect: config.inspect,
    graphiql: config.graphiql ? { exampleQuery: EXAMPLE_QUERY } : false,
    compression: config.compression,
    corsOrigins: config.corsOrigins,
    log: { slowRequestMs: config.slowRequestMs, rate: config.requestLogRate },
    tracing: config.otlpEndpoint === null ? false : { endpoint: config.otlpEndpoint },
    apolloTracing: config.apolloTracing ? buildGraphQLSchema : null,
    development: !config.production,
    clock,
    logger,
    trustProxy: config.trustProxy,
    keepAliveTimeoutMs: http.keepAliveTimeoutMs,
  }).catch(async (error: unknown) => {
    await larder.close();
    throw error;
  });
  try {
    // The stores were opened first, so they are closed last.
    app.addHook('onClose', () => larder.close());
    const metrics = await metricsServer(larder);
    app.addHook('onClose', () => metrics.close());
    if (extend !== null) extend(app);
    else if (config.graphiql) app.get('/', (_request, reply) => reply.redirect('/graphiql'));
    const url = await listening('HOST and PORT', app.listen({ host: http.host, port: http.port }));
    const metricsUrl = `${await listening('METRICS_HOST and METRICS_PORT', metrics.listen(config.metrics))}/metrics`;
    const drain = () => app.drain(http.shutdownDelayMs, http.shutdownTimeoutMs / 2);
    return { url, metricsUrl, drain, close: () => app.close() };
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** Adds to an error the settings that say where to listen. */
async function listening(settings: string, url: Promise<string>): Promise<string> {
  try {
    return await url;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new ConfigError(`Cannot listen where ${settings} say: ${error.message}`, { cause: error });
  }
}
