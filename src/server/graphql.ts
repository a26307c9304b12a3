import plugin from 'fastify-plugin';
import type { GraphQLSchema } from 'graphql';
import mercurius from 'mercurius';
import { publicErrors } from './errors.ts';
import type { StateFactory } from './request-state.ts';

/** How long a client should wait before it tries again, in seconds. */
const RETRY_AFTER_SECONDS = 1;

/** Serves `/graphql`. */
export const graphqlPlugin = plugin<{ schema: GraphQLSchema; stateOf: StateFactory }>(
  async (app, { schema, stateOf }) => {
    await app.register(mercurius, {
      schema,
      graphiql: false,
      context: stateOf,
      // Mercurius' own response schema would turn the numbers in an error's path into strings.
      additionalRouteOptions: { schema: {} },
      errorFormatter: (execution, context) => {
        const log = context.reply?.log ?? app.log;
        const errors = (execution.errors ?? []).flatMap((error) => publicErrors(error, log));
        const failed = errors.map((error) => error.status).filter((status) => status !== null);
        const statusCode = failed.includes(503) ? 503 : execution.data == null ? (failed[0] ?? 200) : 200;
        if (statusCode === 503) context.reply?.header('retry-after', RETRY_AFTER_SECONDS);
        // An error of the request, found before execution, has no data at all (GraphQL specification, section 7.1).
        const data = execution.data === undefined ? {} : { data: execution.data };
        return { statusCode, response: { ...data, errors: errors.map(({ error }) => error) } as never };
      },
    });
  },
  { name: 'larder-graphql', fastify: '5.x' },
);
