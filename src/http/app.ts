import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import type { Logger } from 'pino';
import { createScope } from '../bodies/scope.ts';
import type { Clock } from '../clock.ts';
import { Trace } from '../trace/trace.ts';
import { compressionPlugin } from './compression.ts';
import { drainingPlugin } from './connections/draining.ts';
import { answerBadConnection, answerBadUrl, errorHandlerPlugin } from './errors/error-handler.ts';
import { type GraphQLOptions, graphqlPlugin } from './graphql/graphql.ts';
import { authPlugin } from './guards/auth.ts';
import { allowPages, corsPlugin } from './guards/cors.ts';
import { refusedOriginsPlugin } from './guards/refused-origins.ts';
import { type Health, healthPlugin } from './health.ts';
import { type ExplainOptions, explainPlugin } from './inspector/explain.ts';
import { graphiqlPlugin } from './inspector/graphiql/plugin.ts';
import { isInspected } from './inspector/inspected.ts';
import { readJsonBodies } from './json-body.ts';
import { requestIdOf, requestIdPlugin } from './request-id.ts';
import { requestStatePlugin, State, type StateFactory } from './request-state.ts';
import { requestLogPlugin } from './telemetry/request-log.ts';
import { serverTimingPlugin } from './telemetry/server-timing.ts';
import { traceIdOf } from './telemetry/trace-context.ts';
import type { Tracing } from './telemetry/tracing.ts';

/** What the HTTP server is made of. */
export interface AppOptions {
  /** A repository for each entity, by the entity's name: what resolvers find in their context. */
  readonly repositories: Readonly<Record<string, unknown>>;
  readonly health: Health;
  /** The version of Larder, for `/healthz`. */
  readonly version: string;
  readonly inspect: 'off' | 'header' | 'always';
  /** What GraphiQL shows first; `null` where it is not served. */
  readonly graphiql: { readonly exampleQuery: string } | null;
  readonly graphql: Omit<GraphQLOptions, 'stateOf' | 'requestTimeoutMs' | 'clock'>;
  /** Explains the statements in `graphql.statements`. */
  readonly explain: ExplainOptions['explain'];
  readonly logger: Logger;
  /** Requests that take longer are logged as slow, in milliseconds. */
  readonly slowRequestMs: number;
  /** Which share of the other requests that went well are logged, from 0 to 1. */
  readonly requestLogRate: number;
  /** `null` where no traces are recorded. */
  readonly tracing: Tracing | null;
  /** The addresses of proxies whose word on a client's address is taken; none when empty. */
  readonly trustProxy: readonly string[];
  readonly bodyLimitBytes: number;
  /** How long a request may take to come in, and how long to be answered, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** How long a connection stays open on which nothing is asked, in milliseconds. */
  readonly keepAliveTimeoutMs: number;
  readonly clock: Clock;
}

/**
 * Puts the plugins together. The caller listens, and closes.
 *
 * @param options what to serve and how
 * @returns the server, not listening yet
 */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { repositories, inspect, requestTimeoutMs, clock } = options;
  // Plugins know no more of a logger than what fastify asks of it.
  const loggerInstance: FastifyBaseLogger = options.logger;
  const allow = allowPages(options.graphql.corsOrigins);
  const app = fastify({
    loggerInstance,
    // A line of our own (request-log.ts): a URL may hold variables.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: requestIdOf,
    forceCloseConnections: 'idle',
    // What has been read is answered, also while the server stops.
    return503OnClosing: false,
    bodyLimit: options.bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: options.keepAliveTimeoutMs,
    // Node looks every half minute unless told otherwise, and until then a slow client may stay.
    http: { headersTimeout: requestTimeoutMs, connectionsCheckingInterval: Math.ceil(requestTimeoutMs / 10) },
    // A client that stops reading its answer holds it in our memory.
    connectionTimeout: requestTimeoutMs * 2,
    frameworkErrors: (_error, request, reply) => {
      allow(request, reply);
      answerBadUrl(reply);
    },
    clientErrorHandler: answerBadConnection,
    trustProxy: options.trustProxy.length === 0 ? false : [...options.trustProxy],
    // What a client did not write as a number is not taken for one.
    ajv: { customOptions: { coerceTypes: false } },
  });
  const { tracing } = options;
  if (tracing !== null) await app.register(tracing.plugin);
  await app.register(requestIdPlugin);
  await app.register(corsPlugin, { allow });
  await app.register(refusedOriginsPlugin, { corsOrigins: options.graphql.corsOrigins });
  readJsonBodies(app);
  if (options.graphql.compression) await app.register(compressionPlugin);
  await app.register(errorHandlerPlugin);
  await app.register(requestStatePlugin);
  await app.register(requestLogPlugin, {
    slowRequestMs: options.slowRequestMs,
    rate: options.requestLogRate,
    isLogged: (level) => options.logger.isLevelEnabled(level),
    traceIdOf: tracing?.traceIdOf ?? ((request) => traceIdOf(request.headers)),
  });
  if (inspect !== 'off') await app.register(serverTimingPlugin);
  await app.register(authPlugin, { auth: options.graphql.auth, clock });
  const stateOf: StateFactory = (request, reply) => {
    const inspected = isInspected(inspect, request);
    const trace = new Trace({
      recording: inspected,
      clock,
      started: clock.now() - reply.elapsedTime,
      ownStatements: inspected || tracing !== null,
    });
    reply.raw.on('close', () => {
      trace.abandon();
    });
    const cold = inspected && request.headers['x-cache'] === 'bypass';
    const state = new State(repositories, createScope(trace, cold), inspected);
    request.state = state;
    return state;
  };
  await app.register(graphqlPlugin, { ...options.graphql, stateOf, requestTimeoutMs, clock });
  const { keepAliveTimeoutMs: keepAliveMs } = options;
  await app.register(drainingPlugin, { clock, keepAliveMs, requestTimeoutMs });
  await app.register(healthPlugin, { health: options.health, version: options.version });
  if (options.graphiql !== null) await app.register(graphiqlPlugin, options.graphiql);
  const { statements } = options.graphql;
  if (options.graphiql !== null && statements !== null && inspect !== 'off') {
    await app.register(explainPlugin, { inspect, statements, explain: options.explain });
  }
  return app;
}
