import Fastify from 'fastify';
import { GraphQLInt, GraphQLObjectType, GraphQLSchema } from 'graphql';
import { type Test, t } from 'tap';
import { larderFastify } from '../../../src/http/index.ts';
import { openLibrary } from '../../support/open-library.ts';

/** A schema that is shared with a server that sends events. */
const fields = { now: { type: GraphQLInt, resolve: () => 1 } };
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields }),
  subscription: new GraphQLObjectType({ name: 'Subscription', fields }),
});

async function serve(t: Test) {
  const larder = await openLibrary(t, { libraries: 1, shelves: 1, books: 1, perShelf: 1 });
  const said: string[] = [];
  const app = Fastify({ logger: { level: 'warn', stream: { write: (line: string) => void said.push(line) } } });
  t.teardown(() => app.close());
  await app.register(larderFastify, { larder, schema, auth: null, limits: { maxEventLoopDelayMs: 0 } });
  return { app, said };
}

t.test('a subscription is refused and not run as a query, also where the schema has some', async (t) => {
  const { app, said } = await serve(t);
  const query = 'subscription { now }';
  for (const request of [
    { method: 'POST', url: '/graphql', payload: { query } } as const,
    { method: 'GET', url: '/graphql', query: { query } } as const,
  ]) {
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      const answer = await app.inject({ ...request, headers: { accept } });
      t.equal(answer.statusCode, accept === 'application/json' ? 200 : 400, `${request.method} ${accept}`);
      const refused = { message: 'This server has no subscriptions.', locations: [{ line: 1, column: 1 }] };
      t.match(answer.json(), { errors: [{ ...refused, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] });
      t.notOk('data' in answer.json(), 'nothing was executed');
    }
  }
  const both = { query: `${query.replace('{', 'Events {')} query Now { now }`, operationName: 'Now' };
  const beside = await app.inject({ method: 'POST', url: '/graphql', payload: both });
  t.same(beside.json(), { data: { now: 1 } }, 'an operation beside it is served');
  t.same(said, [], 'it is no fault of the server');
});
