import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { type Test, t } from 'tap';
import { type LarderFastifyOptions, larderFastify } from '../../../src/http/index.ts';
import { createLarder } from '../../../src/index.ts';
import { entities, fillLibrary } from '../../kit/library.ts';
import { freshDatabase } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';
import { reachableDirectory } from '../../support/temporary.ts';

const TEXT = '{ me }';
const documentId = createHash('sha256').update(TEXT).digest('hex');
const file = join(reachableDirectory(t), 'documents.json');
writeFileSync(file, JSON.stringify({ [documentId]: TEXT }));
const documents = { file, cacheControl: 'public, max-age=60' };

const database = await freshDatabase(t);
await fillLibrary(openSql(t, database), 1, 1);
const larder = await createLarder({ entities, postgres: { url: database.url } });
t.teardown(larder.close);

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({
    name: 'Query',
    fields: { me: { type: GraphQLString, resolve: (_source, _args, { user }) => user } },
  }),
});
/** As an app that has sessions does. */
const context = ({ headers }: FastifyRequest) => ({ user: headers.cookie ?? headers.authorization ?? null });

async function serve(t: Test, options: Partial<LarderFastifyOptions>, app = Fastify()): Promise<FastifyInstance> {
  t.teardown(() => app.close());
  await app.register(larderFastify, { larder, schema, documents, limits: { maxEventLoopDelayMs: 0 }, ...options });
  return app;
}

const get = (app: FastifyInstance, headers: Record<string, string> = {}) =>
  app.inject({ url: `/graphql?documentId=${documentId}`, headers });

t.test('an answer to somebody who says who they are is for nobody else', async (t) => {
  const app = await serve(t, { context });
  const anonymous = await get(app);
  t.match(anonymous.headers, { 'cache-control': 'public, max-age=60', vary: /\bauthorization\b.*\bcookie\b/ });
  t.same(anonymous.json(), { data: { me: null } });
  for (const headers of [{ cookie: 'session=ada' }, { authorization: 'Bearer ada' }]) {
    const answer = await get(app, headers);
    t.same(answer.json(), { data: { me: Object.values(headers)[0] } });
    t.equal(answer.headers['cache-control'], 'no-store', Object.keys(headers).join());
  }
});

t.test('who identifies clients in a way that caches cannot know may not let them store answers', async (t) => {
  for (const auth of [null, () => null]) {
    await t.rejects(serve(t, { auth }), { name: 'WrongValue', message: /documents\.cacheControl: .*auth/ });
    const app = await serve(t, { auth, documents: { file } });
    t.equal((await get(app)).headers['cache-control'], 'no-store');
    t.notMatch((await get(app)).headers.vary, 'cookie', 'where nothing is stored, it does not matter');
  }
});

t.test('what an earlier hook says of Vary stays beside the origins of pages', async (t) => {
  const app = Fastify();
  app.addHook('onRequest', async (_request, reply) => void reply.header('vary', 'x-tenant'));
  const { headers } = await get(await serve(t, { corsOrigins: ['https://app.example.com'] }, app));
  t.match(headers.vary, /^x-tenant, .*\baccept\b/);
  t.match(headers.vary, /\borigin\b/);
});
