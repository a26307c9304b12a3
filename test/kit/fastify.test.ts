import accepts from '@fastify/accepts';
import compress from '@fastify/compress';
import helmet from '@fastify/helmet';
import { FastifyOtelInstrumentation } from '@fastify/otel';
import statics from '@fastify/static';
import pressure from '@fastify/under-pressure';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import Fastify, { type FastifyInstance } from 'fastify';
import mercurius from 'mercurius';
import { Registry } from 'prom-client';
import { type Test, t } from 'tap';
import larderFastify, { type LarderFastifyOptions } from '../../src/http/index.ts';
import { createLarder, type LarderLogger } from '../../src/index.ts';
import { columnsKnown } from '../support/columns-known.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
import { counted, openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { entities, fillLibrary, librarySchema } from './library.ts';

const schema = librarySchema();
const NESTED = '{ authors(first: 3) { nodes { name books(first: 2) { edges { node { title } } } } } }';

async function openLibrary(t: Test, logger?: LarderLogger) {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  await fillLibrary(openSql(t, database), 5, 4);
  const larder = await createLarder({
    entities,
    postgres: { url: database.url },
    redis: { url: redis.url, timeoutMs: REDIS_PATIENCE_MS },
    // Caches answer for longer than a test takes on any machine.
    cache: { maxStalenessMs: 600_000, memoryTtlMs: 300_000 },
    ...(logger === undefined ? {} : { logger }),
  });
  t.teardown(larder.close);
  await columnsKnown(larder);
  return { larder, database, redis };
}

/** Registers the plugin as a stranger does, and closes their server with the test. */
async function register(t: Test, app: FastifyInstance, options: LarderFastifyOptions): Promise<void> {
  t.teardown(() => app.close());
  await app.register(larderFastify, { limits: { maxEventLoopDelayMs: 0 }, ...options });
}

const post = (app: FastifyInstance, url: string, query: string, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url, headers, payload: { query } });

t.test('with all defaults it serves a schema, health and nothing more', async (t) => {
  const { larder, database, redis } = await openLibrary(t);
  const app = Fastify();
  await register(t, app, { larder, schema });
  t.equal(app.larder, larder);
  const answer = await post(app, '/graphql', NESTED);
  t.equal(answer.statusCode, 200);
  t.match(answer.json(), { data: { authors: { nodes: [{ name: 'Author 1', books: { edges: [{}, {}] } }, {}, {}] } } });
  const warm = await counted({ database, redis }, () => post(app, '/graphql', NESTED));
  t.equal(warm.sql, 2, JSON.stringify(warm.statements));
  let readiness = await app.inject('/readyz');
  await until('it is ready', async () => {
    readiness = await app.inject('/readyz');
    return readiness.body.includes('"ready"');
  });
  t.match(readiness.json(), { status: 'ready', postgres: true, redis: true });
  t.equal((await app.inject('/healthz')).statusCode, 200);
  for (const path of ['/metrics', '/graphiql', '/']) t.equal((await app.inject(path)).statusCode, 404, path);
  const inspected = await post(app, '/graphql', NESTED, { 'x-inspect': '1' });
  t.match(inspected.json(), { extensions: { dataFetching: { sql: { statements: 2 } } } });
  t.ok(inspected.headers['server-timing']);
  const tooMuch = '{ authors(first: 100) { nodes { books(first: 100) { nodes { title author { name } } } } } }';
  t.match((await post(app, '/graphql', tooMuch)).json(), { errors: [{ extensions: { code: 'COST_LIMIT' } }] });
  const other = await app.inject({ method: 'DELETE', url: '/graphql' });
  t.match([other.statusCode, other.headers.allow], [405, 'GET, HEAD, POST']);
});

t.test("what others have registered on their server goes on, and Larder's works beside it", async (t) => {
  const { larder } = await openLibrary(t);
  const app = Fastify({ logger: false });
  await app.register(helmet);
  await app.register(compress, { threshold: 0 });
  await app.register(accepts);
  await app.register(pressure, { maxEventLoopDelay: 0 });
  await app.register(statics, { root: import.meta.dirname, prefix: '/files/' });
  await app.register(mercurius, { schema: 'type Query { mine: Int }', resolvers: { Query: { mine: () => 1 } } });
  app.decorateRequest('state', null);
  app.decorateRequest('viewer', null);
  app.decorate('draining', () => false);
  app.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error, _request, reply) => reply.code(418).send({ theirs: (error as Error).message }));
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ theirs: 'not here' }));
  const seen: string[] = [];
  app.addHook('onRequest', async (request) => void seen.push(request.url));
  await register(t, app, {
    larder,
    schema,
    prefix: '/api',
    graphiql: true,
    metrics: true,
    corsOrigins: ['http://a.test'],
  });
  app.post('/csv', async ({ body }) => ({ body }));
  app.get('/fails', async () => {
    throw new Error('mine');
  });
  app.get('/large', async () => 'x'.repeat(5000));

  await t.test('theirs', async (t) => {
    const csv = await app.inject({
      method: 'POST',
      url: '/csv',
      headers: { 'content-type': 'text/csv' },
      payload: 'a,b',
    });
    t.same(csv.json(), { body: 'a,b' });
    const json = await app.inject({
      method: 'POST',
      url: '/csv',
      payload: '{"a":',
      headers: { 'content-type': 'application/json' },
    });
    t.equal(json.statusCode, 418, 'their body parser and their error handler');
    t.same((await app.inject('/fails')).json(), { theirs: 'mine' });
    t.same((await app.inject('/nowhere')).json(), { theirs: 'not here' });
    t.same((await app.inject('/api/nowhere')).json(), { theirs: 'not here' });
    t.equal((await app.inject('/files/library.ts')).statusCode, 200);
    t.match((await post(app, '/graphql', '{ mine }')).json(), { data: { mine: 1 } });
    const plain = await app.inject({ url: '/large', headers: { origin: 'http://a.test' } });
    t.equal(plain.headers['content-encoding'], undefined);
    for (const name of ['x-request-id', 'access-control-allow-origin', 'cache-control', 'server-timing']) {
      t.equal(plain.headers[name], undefined, name);
    }
    t.match(plain.headers['content-security-policy'], /script-src/, "their helmet's");
    const zipped = await app.inject({ url: '/large', headers: { 'accept-encoding': 'gzip' } });
    t.equal(zipped.headers['content-encoding'], 'gzip');
  });

  await t.test("Larder's", async (t) => {
    for (let i = 0; i < 6; i += 1) {
      const answer = await post(app, '/api/graphql', NESTED, { origin: 'http://a.test' });
      t.match(answer.json(), { data: { authors: { nodes: [{ name: 'Author 1' }, {}, {}] } } });
      t.equal(answer.headers['access-control-allow-origin'], 'http://a.test');
      t.equal(answer.headers['content-security-policy'], "default-src 'none'");
      t.ok(answer.headers['x-request-id']);
    }
    t.match((await post(app, '/api/graphql', '{ mine }')).json(), {
      errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    });
    const broken = await app.inject({
      ...{ method: 'POST', url: '/api/graphql', payload: '{"query":' },
      headers: { 'content-type': 'application/json' },
    });
    t.match([broken.statusCode, broken.json()], [400, { errors: [{ extensions: { code: 'BAD_REQUEST' } }] }]);
    const page = await app.inject('/api/graphiql');
    t.match([page.statusCode, page.headers['content-security-policy']], [200, /^default-src 'self'/]);
    t.match(page.body, 'src="graphiql/main.js"');
    for (const file of ['main.js', 'graphiql.min.js']) {
      t.equal((await app.inject(`/api/graphiql/${file}`)).statusCode, 200, file);
    }
    t.match(
      (await app.inject('/api/metrics')).body,
      /larder_request_duration_seconds_count\{operation="other",status="200"\} \d/,
    );
    t.equal((await app.inject('/api/readyz')).statusCode, 200);
    const preflight = await app.inject({
      method: 'OPTIONS',
      url: '/api/graphql',
      headers: { origin: 'http://a.test' },
    });
    t.equal(preflight.statusCode, 204);
    t.ok(seen.includes('/api/graphql'), 'their hooks see its requests');
  });
});

t.test('errors that hooks of others throw are answered in GraphQL form', async (t) => {
  const { larder } = await openLibrary(t);
  for (const [statusCode, code] of [
    [401, 'UNAUTHENTICATED'],
    [403, 'FORBIDDEN'],
    [429, 'RATE_LIMITED'],
    [503, 'UNAVAILABLE'],
  ] as const) {
    const app = Fastify();
    app.addHook('onRequest', async () => {
      throw Object.assign(new Error('secret'), { statusCode });
    });
    await register(t, app, { larder, schema });
    const answer = await post(app, '/graphql', '{ __typename }');
    t.equal(answer.statusCode, statusCode);
    t.match(answer.json(), { errors: [{ extensions: { code } }] });
    t.notMatch(answer.body, 'secret');
  }
});

t.test('two Larders on one server, a context and an identity of one’s own', async (t) => {
  const [one, other] = await Promise.all([openLibrary(t), openLibrary(t)]);
  await one.larder.repositories.Author.update('1', { name: 'One' });
  const app = Fastify();
  const seen: unknown[] = [];
  await register(t, app, {
    ...{ larder: one.larder, schema, prefix: '/one' },
    auth: ({ headers }) =>
      headers['x-user'] === undefined ? null : { subject: String(headers['x-user']), scopes: new Set() },
    introspection: 'authenticated',
    context: (request) => {
      seen.push(request.larderViewer?.subject ?? null);
      return { user: request.headers['x-user'] };
    },
  });
  await app.register(larderFastify, { larder: other.larder, schema, prefix: '/other', health: false });
  const first = '{ authors(first: 1) { nodes { name } } }';
  t.match((await post(app, '/one/graphql', first)).json(), { data: { authors: { nodes: [{ name: 'One' }] } } });
  t.match((await post(app, '/other/graphql', first)).json(), { data: { authors: { nodes: [{ name: 'Author 1' }] } } });
  await post(app, '/one/graphql', first, { 'x-user': 'ada' });
  t.same(seen, [null, 'ada']);
  const introspection = '{ __schema { queryType { name } } }';
  t.match((await post(app, '/one/graphql', introspection)).json(), {
    errors: [{ extensions: { code: 'INTROSPECTION_OFF' } }],
  });
  t.match((await post(app, '/one/graphql', introspection, { 'x-user': 'ada' })).json(), { data: { __schema: {} } });
  t.equal((await app.inject('/other/readyz')).statusCode, 404);
});

t.test('a logger and a registry of one’s own are used, and what was opened is closed with the server', async (t) => {
  const lines: string[] = [];
  const said: string[] = [];
  const logger = {
    info: (message: string) => void said.push(message),
    warn: (_: object, message: string) => void said.push(message),
  };
  const { larder } = await openLibrary(t, logger);
  const registry = new Registry();
  const app = Fastify({ logger: { level: 'info', stream: { write: (line: string) => void lines.push(line) } } });
  await register(t, app, {
    larder,
    schema,
    metrics: { registry, path: null },
    log: { rate: 1, slowRequestMs: 600_000 },
  });
  const query = () => app.inject({ url: '/graphql', query: { query: '{ __typename }' } });
  await query();
  const line = lines
    .map((text) => JSON.parse(text))
    .find(({ msg, route }) => msg === 'request' && route === '/graphql');
  t.match(line, { status: 200, operation: 'other', statements: 0 });
  t.match(await registry.metrics(), /larder_request_duration_seconds_count\{operation="other",status="200"\} 1/);
  t.equal((await app.inject('/metrics')).statusCode, 404);
  await app.close();
  t.ok(await larder.health.postgres(), 'the Larder is not the plugin’s to close');

  const quiet = Fastify({ logger: { level: 'info', stream: { write: (text: string) => void lines.push(text) } } });
  lines.length = 0;
  await register(t, quiet, { larder, schema, log: false });
  await quiet.inject({ url: '/graphql', query: { query: '{ __typename }' } });
  t.notOk(lines.some((text) => JSON.parse(text).msg === 'request'));
  t.notMatch(await registry.metrics(), /larder_/, 'what nobody counts any more is gone from it');
});

t.test('wrong options are named when it is registered, with where they are explained', async (t) => {
  const { larder } = await openLibrary(t);
  const wrong: Record<string, [object, RegExp]> = {
    'no Larder': [{ larder: {} }, /larder: expected what createLarder returns/],
    'no schema': [{ schema: 'type Query { a: Int }' }, /schema: expected a GraphQLSchema/],
    'a name that is none': [{ limit: {} }, /limit: there is no such option/],
    'a name that is none, deeper': [{ limits: { maxCosts: 1 } }, /limits: maxCosts: there is no such option/],
    'a number that cannot be': [
      { limits: { maxCost: 0 } },
      /limits\.maxCost: expected a whole number from 1 to 1000000000/,
    ],
    'a short secret': [{ auth: { key: { secret: 'short' } } }, /auth\.key\.secret: expected at least 32 characters/],
    'no key': [{ auth: { required: true } }, /auth\.required: there is no key/],
    'an origin with a path': [{ corsOrigins: ['https://a.test/x'] }, /corsOrigins\.0: .*not an origin/],
    'a bucket too small': [{ limits: { rate: { perSecond: 1, maximum: 10 } } }, /limits\.rate\.maximum/],
    'no documents': [{ documents: { only: true } }, /documents\.only/],
    'documents that are not there': [{ documents: { file: '/nowhere.json' } }, /\/nowhere\.json/],
    'a flag that is none': [{ graphiql: 'yes' }, /graphiql: expected/],
    'a collector without a URL': [{ tracing: { endpoint: 'here' } }, /tracing\.endpoint: expected the URL/],
    'another word': [{ inspect: 'sometimes' }, /inspect: expected one of off, header, always/],
  };
  for (const [what, [options, message]] of Object.entries(wrong)) {
    const app = Fastify();
    const registered = app.register(larderFastify, { larder, schema, ...options } as LarderFastifyOptions).ready();
    const error = await Promise.resolve(registered).then(
      () => null,
      (error: Error) => error,
    );
    t.match(error?.message, message, what);
    if (!what.startsWith('documents that')) t.match(error?.message, 'See docs/fastify.md', what);
    await app.close();
  }
});

t.test('statements are spans in the traces of a process that has OpenTelemetry of its own', async (t) => {
  const { larder } = await openLibrary(t);
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  provider.register();
  t.teardown(() => provider.shutdown());
  const instrumentation = new FastifyOtelInstrumentation({ instrumentHooks: false });
  instrumentation.setTracerProvider(provider);
  const lines: string[] = [];
  const app = Fastify({ logger: { level: 'info', stream: { write: (line: string) => void lines.push(line) } } });
  await app.register(instrumentation.plugin());
  await register(t, app, { larder, schema, tracing: true, log: { slowRequestMs: 600_000 } });
  await post(app, '/graphql', NESTED);
  const spans = exporter.getFinishedSpans();
  const list = spans.find(({ name }) => name.startsWith('Author.all'));
  t.match(list?.attributes, { 'db.system.name': 'postgresql' });
  const traceId = list?.spanContext().traceId;
  t.same([...new Set(spans.map((span) => span.spanContext().traceId))], [traceId], 'all are of one trace');
  const line = lines
    .map((text) => JSON.parse(text))
    .find(({ msg, route }) => msg === 'request' && route === '/graphql');
  t.equal(line?.traceId, traceId, 'and the log names the trace');
});
