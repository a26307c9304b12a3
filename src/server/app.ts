import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import type { Repositories } from '../domain/repositories.ts';
import { createScope } from '../repository/scope.ts';
import { Trace } from '../trace/trace.ts';
import { authPlugin } from './auth.ts';
import { graphiqlPlugin } from './graphiql/plugin.ts';
import { type GraphQLOptions, graphqlPlugin } from './graphql.ts';
import { type Health, healthPlugin } from './health.ts';
import { requestLogPlugin } from './request-log.ts';

/** What the HTTP server is made of. */
export interface AppOptions {
  readonly repositories: Repositories;
  readonly health: Health;
  readonly inspect: 'off' | 'header' | 'always';
  readonly graphiql: boolean;
  readonly graphql: Omit<GraphQLOptions, 'stateOf'>;
  readonly logger: FastifyBaseLogger;
  /** The addresses of proxies whose word on a client's address is taken; none when empty. */
  readonly trustProxy: readonly string[];
  readonly bodyLimitBytes: number;
  /** How long a request may take to come in, and how long to be answered, in milliseconds. */
  readonly requestTimeoutMs: number;
}

/**
 * Puts the plugins together. The caller listens, and closes.
 *
 * @param options what to serve and how
 * @returns the server, not listening yet
 */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { repositories, inspect, requestTimeoutMs } = options;
  const app = fastify({
    loggerInstance: options.logger,
    // A line of our own (request-log.ts): a URL may hold variables.
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle',
    bodyLimit: options.bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    handlerTimeout: requestTimeoutMs,
    http: { headersTimeout: requestTimeoutMs },
    trustProxy: options.trustProxy.length === 0 ? false : [...options.trustProxy],
    // What a client did not write as a number is not taken for one.
    ajv: { customOptions: { coerceTypes: false } },
  });
  await app.register(requestLogPlugin);
  await app.register(authPlugin, { auth: options.graphql.auth });
  await app.register(graphqlPlugin, {
    ...options.graphql,
    stateOf: (request) => ({
      repositories,
      scope: createScope(new Trace()),
      inspected: inspect === 'always' || (inspect === 'header' && request.headers['x-inspect'] === '1'),
      cost: null,
    }),
  });
  await app.register(healthPlugin, { health: options.health });
  if (options.graphiql) await app.register(graphiqlPlugin);
  return app;
}
