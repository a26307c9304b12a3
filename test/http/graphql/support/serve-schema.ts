import Fastify, { type FastifyServerOptions } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Test } from 'tap';
import larderFastify, { type LarderFastifyOptions } from '../../../../src/http/index.ts';

/**
 * Serves a schema, until the test ends.
 *
 * @param t the test that it is for
 * @param larder the Larder under it
 * @param schema the schema
 * @param limits the limits; the defaults where there are none, and none for the delay of the event loop
 * @param logger where the server logs; nowhere when it is left out
 * @returns asks it with a document and its variables in JSON, and gives the response
 */
export async function serveSchema(
  t: Test,
  larder: LarderFastifyOptions['larder'],
  schema: GraphQLSchema,
  limits: LarderFastifyOptions['limits'] = {},
  logger: NonNullable<FastifyServerOptions['logger']> = false,
) {
  const app = Fastify({ logger });
  t.teardown(() => app.close());
  await app.register(larderFastify, { larder, schema, limits: { maxEventLoopDelayMs: 0, ...limits } });
  return (query: string, variables = '{}') =>
    app.inject({
      method: 'POST',
      url: '/graphql',
      headers: { 'content-type': 'application/json' },
      payload: `{"query":${JSON.stringify(query)},"variables":${variables}}`,
    });
}
