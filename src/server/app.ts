import fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Repositories } from '../domain/repositories.ts';
import { createScope } from '../repository/scope.ts';
import { Trace } from '../trace/trace.ts';
import { type AuthOptions, authorizationPlugin, authPlugin } from './auth.ts';
import { graphiqlPlugin } from './graphiql/plugin.ts';
import { graphqlPlugin } from './graphql.ts';
import { type Health, healthPlugin } from './health.ts';
import { inspectorPlugin } from './inspector.ts';
import { operationNameOf, type StateFactory } from './request-state.ts';

/** What the HTTP server is made of. */
export interface AppOptions {
  readonly schema: GraphQLSchema;
  readonly repositories: Repositories;
  readonly health: Health;
  readonly inspect: 'off' | 'header' | 'always';
  readonly graphiql: boolean;
  readonly auth: AuthOptions;
  readonly logger: FastifyBaseLogger;
}

/**
 * Puts the plugins together. The caller listens, and closes.
 *
 * @param options what to serve and how
 * @returns the server, not listening yet
 */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { repositories, inspect } = options;
  const app = fastify({ loggerInstance: options.logger, forceCloseConnections: 'idle' });
  const stateOf: StateFactory = (request) => ({
    repositories,
    scope: createScope(new Trace()),
    inspected: inspect === 'always' || (inspect === 'header' && request.headers['x-inspect'] === '1'),
    operationName: operationNameOf(request),
    cost: null,
  });
  await app.register(authPlugin, { auth: options.auth });
  await app.register(graphqlPlugin, { schema: options.schema, stateOf });
  await app.register(authorizationPlugin, { auth: options.auth });
  await app.register(inspectorPlugin);
  await app.register(healthPlugin, { health: options.health });
  if (options.graphiql) await app.register(graphiqlPlugin);
  return app;
}
