import Fastify, { type FastifyReply } from 'fastify';
import { GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { type Test, t } from 'tap';
import { type LarderFastifyOptions, larderFastify } from '../../../src/http/index.ts';
import { createLarder } from '../../../src/index.ts';
import { entities, fillLibrary } from '../../kit/library.ts';
import { freshDatabase } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';

// From the fourth time on, a document may be executed in another way than before.
const TIMES = 6;

const database = await freshDatabase(t);
await fillLibrary(openSql(t, database), 1, 1);
const larder = await createLarder({ entities, postgres: { url: database.url } });
t.teardown(larder.close);

interface Found {
  readonly app?: unknown;
  readonly reply?: FastifyReply;
  readonly mine?: unknown;
}

const fields = {
  url: { type: GraphQLString, resolve: (_: unknown, _args: object, { reply }: Found) => reply?.request.url },
  app: {
    type: GraphQLString,
    resolve: (_: unknown, _args: object, { app, reply }: Found) =>
      app === reply?.request.server ? 'its instance' : app,
  },
  mine: { type: GraphQLString, resolve: (_: unknown, _args: object, { mine }: Found) => mine },
};
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields }),
  mutation: new GraphQLObjectType({ name: 'Mutation', fields }),
});

async function serve(t: Test, options: Partial<LarderFastifyOptions>) {
  const said: string[] = [];
  const app = Fastify({ logger: { level: 'error', stream: { write: (line: string) => void said.push(line) } } });
  t.teardown(() => app.close());
  const limits = { maxEventLoopDelayMs: 0, ...options.limits };
  await app.register(larderFastify, { larder, schema, auth: null, ...options, limits });
  const ask = async (query: string, headers: Record<string, string> = {}) => {
    const answer = await app.inject({ method: 'POST', url: '/graphql', headers, payload: { query } });
    return { status: answer.statusCode, ...answer.json() };
  };
  return { ask, said };
}

t.test('resolvers find the reply and the instance, however often a document has come', async (t) => {
  const { ask } = await serve(t, {});
  const data = { url: '/graphql', app: 'its instance' };
  for (const query of ['{ url app }', '{ url @include(if: true) app }', 'mutation { url app }']) {
    for (let i = 0; i < TIMES; i += 1) t.same(await ask(query), { status: 200, data }, query);
  }
});

t.test("what an app's own context has wins, and changes nothing of Larder's", async (t) => {
  const context = () => ({
    ...{ app: 'theirs', reply: { request: { url: 'theirs' } }, errors: [], mine: 'mine' },
    ...{ cost: 'free', operation: 'theirs', bytes: 'none', inspected: true },
  });
  const { ask } = await serve(t, { context });
  const data = { url: 'theirs', app: 'theirs', mine: 'mine' };
  for (let i = 0; i < TIMES; i += 1) {
    t.same(await ask('{ url app mine }'), { status: 200, data });
    const { extensions } = await ask('{ url app mine }', { 'x-cost': '1' });
    t.same(extensions, { cost: { requested: 1, limit: 1000 } });
  }
});

t.test("a name that is Larder's own is refused, and the log says so", async (t) => {
  for (const name of ['repositories', 'scope', 'collected']) {
    const { ask, said } = await serve(t, { context: () => ({ [name]: 'theirs' }) });
    t.match(await ask('{ mine }'), { status: 500, errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] });
    t.match(said, [new RegExp(`context: .*\`${name}\``)]);
  }
});

t.test('a context or an identity that never comes is a 503', async (t) => {
  const never = () => new Promise<never>(() => {});
  const limits = { requestTimeoutMs: 200 };
  for (const options of [{ context: never }, { auth: never }]) {
    const { ask } = await serve(t, { ...options, limits });
    t.match(await ask('{ mine }'), { status: 503, errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
  }
});
