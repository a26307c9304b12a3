import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import Fastify, { type FastifyInstance } from 'fastify';
import { Gauge, Registry } from 'prom-client';
import { type Test, t } from 'tap';
import { type Identify, type LarderFastifyOptions, larderDraining, larderFastify } from '../../src/http/index.ts';
import { createLarder } from '../../src/index.ts';
import { manualClock } from '../support/manual-clock.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { entities, fillLibrary, librarySchema } from './library.ts';

const schema = librarySchema();
const database = await freshDatabase(t);
await fillLibrary(openSql(t, database), 2, 2);
const larder = await createLarder({ entities, postgres: { url: database.url } });
t.teardown(larder.close);

async function serve(t: Test, options: Partial<LarderFastifyOptions>, app = Fastify()): Promise<FastifyInstance> {
  t.teardown(() => app.close());
  await app.register(larderFastify, { larder, schema, limits: { maxEventLoopDelayMs: 0 }, ...options });
  return app;
}

const ask = (app: FastifyInstance, query: string, url = '/graphql') =>
  app.inject({ method: 'POST', url, payload: { query } });

t.test('a function that says nothing of a viewer means nobody', async (t) => {
  // As one in JavaScript may, or one that looks into a session.
  const nobody = (() => undefined) as unknown as Identify;
  const app = await serve(t, { auth: nobody, introspection: 'authenticated' });
  t.match((await ask(app, '{ __schema { types { name } } }')).json(), { errors: [{}] });
  t.match((await ask(app, '{ authors { nodes { name } } }')).json(), { data: { authors: { nodes: [{}, {}] } } });
  const odd = (() => ({ subject: 'ada', scopes: ['write'] })) as unknown as Identify;
  t.equal((await ask(await serve(t, { auth: odd }), '{ __typename }')).statusCode, 500, 'scopes have to be a Set');
});

t.test('requests are counted under a prefix that ends with a slash', async (t) => {
  const registry = new Registry();
  const app = await serve(t, { prefix: '/api/', metrics: { registry, path: null } });
  t.equal((await ask(app, '{ __typename }', '/api/graphql')).statusCode, 200);
  t.match(await registry.metrics(), /larder_request_duration_seconds_count\{[^}]*\} 1/);
});

t.test('a registry is for one Larder at a time, and is given back', async (t) => {
  const registry = new Registry();
  const metrics = { registry, path: null };
  const app = await serve(t, { metrics });
  await t.rejects(serve(t, { metrics }), { message: /registry has the metrics of a Larder already/ });
  new Gauge({ name: 'of_the_app', help: 'Made after the plugin was registered.', registers: [registry] });
  await app.close();
  t.same(
    registry.getMetricsAsArray().map(({ name }) => name),
    ['of_the_app'],
  );
  await ask(await serve(t, { metrics }), '{ __typename }');
  t.match(await registry.metrics(), /larder_request_duration_seconds_count\{[^}]*\} 1/);
});

t.test('what a plugin of theirs says of Vary stays', async (t) => {
  const app = Fastify();
  app.addHook('onRequest', async (_request, reply) => void reply.header('vary', 'Origin'));
  const answer = await ask(await serve(t, { corsOrigins: null }, app), '{ __typename }');
  t.match(answer.headers.vary, /Origin, accept/);
});

t.test('when a hook of theirs says when to come back, it stays said', async (t) => {
  const app = Fastify();
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('retry-after', '30');
    throw Object.assign(new Error('closed for the night'), { statusCode: 503 });
  });
  const { statusCode, headers } = await ask(await serve(t, {}, app), '{ __typename }');
  t.same([statusCode, headers['retry-after']], [503, '30']);
});

t.test('it does not speak for the whole host', async (t) => {
  const { headers } = await ask(await serve(t, {}), '{ __typename }');
  t.equal(headers['strict-transport-security'], undefined);
  t.equal(headers['x-content-type-options'], 'nosniff', 'but for its own answers');
});

const upgrade = 'GET /anything HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

const echo = (_request: IncomingMessage, socket: Duplex) => {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  socket.pipe(socket);
};

/** Connects, and collects what comes. */
async function listenTo(t: Test, port: number) {
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  const heard = { text: '' };
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard.text += text;
  });
  await once(socket, 'connect');
  return { socket, heard };
}

for (const when of ['before', 'after'] as const) {
  t.test(`a connection that becomes a WebSocket is left to whoever asked for it ${when} listening`, async (t) => {
    const clock = manualClock();
    const app = Fastify();
    if (when === 'before') app.server.on('upgrade', echo);
    await app.register(larderDraining, { clock, keepAliveMs: 5000, requestTimeoutMs: 1000 });
    await serve(t, {}, app);
    const port = Number(new URL(await app.listen({ port: 0 })).port);
    if (when === 'after') app.server.on('upgrade', echo);
    const { socket, heard } = await listenTo(t, port);
    socket.write(upgrade);
    await until('it is another protocol', () => heard.text.includes('101'));
    socket.write('first ');
    await until('it echoes', () => heard.text.includes('first'));
    await clock.advance(10_000);
    socket.write('second');
    await until('it still does, or is closed', () => heard.text.includes('second') || socket.closed);
    t.match(heard.text, /second/);
    t.notMatch(heard.text, /408/);

    app.server.off('upgrade', echo);
    const later = await listenTo(t, port);
    later.socket.write(upgrade);
    await until('where nobody asks for it any more, Node answers', () => later.heard.text.includes('HTTP/1.1 404'));
  });
}
