import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import Fastify from 'fastify';
import { GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { type Test, t } from 'tap';
import { larderDraining, larderFastify } from '../../../src/http/index.ts';
import { createLarder } from '../../../src/index.ts';
import { entities, fillLibrary } from '../../kit/library.ts';
import { createAuthority } from '../../support/certificates.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { freshDatabase } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';
import { reachableDirectory } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const REQUEST_MS = 1000;

const database = await freshDatabase(t);
await fillLibrary(openSql(t, database), 1, 1);
const larder = await createLarder({ entities, postgres: { url: database.url } });
t.teardown(larder.close);

const authority = await createAuthority(reachableDirectory(t), 'authority');
const issued = authority.issue('server', 'DNS:localhost,IP:127.0.0.1');
const [ca, cert, key] = [authority.cert, issued.cert, issued.key].map((file) => readFileSync(file));

/** A server that keeps `{ held }` until it is told to answer. */
async function open(t: Test, isTls: boolean) {
  const clock = manualClock();
  const lines: Record<string, unknown>[] = [];
  const logger = { stream: { write: (line: string) => void lines.push(JSON.parse(line)) } };
  let release = (_value: string) => {};
  let asked = 0;
  const released = new Promise<string>((resolve) => {
    release = resolve;
  });
  const held = () => {
    asked += 1;
    return released;
  };
  const query = new GraphQLObjectType({
    name: 'Query',
    fields: { held: { type: GraphQLString, resolve: held }, plain: { type: GraphQLString, resolve: () => 'plain' } },
  });
  const draining = { clock, requestTimeoutMs: REQUEST_MS };
  const served = { larder, schema: new GraphQLSchema({ query }), limits: { maxEventLoopDelayMs: 0 } };
  const https = { cert: cert ?? '', key: key ?? '', allowHTTP1: true };
  const app = isTls
    ? Fastify({ http2: true, https, logger }).register(larderDraining, draining).register(larderFastify, served)
    : Fastify({ http2: true, logger }).register(larderDraining, draining).register(larderFastify, served);
  const session = connect(await app.listen({ host: '127.0.0.1', port: 0 }), isTls ? { ca: ca ?? '' } : {});
  t.teardown(async () => {
    session.destroy();
    await app.close();
  });
  return { app, clock, lines, session, release, asked: () => asked };
}

function ask(session: ClientHttp2Session, query: string): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/graphql',
    'content-type': 'application/json',
  });
  stream.setEncoding('utf8').end(JSON.stringify({ query }));
  return stream;
}

async function answer(stream: ClientHttp2Stream): Promise<unknown> {
  let text = '';
  for await (const chunk of stream) text += chunk;
  return JSON.parse(text);
}

for (const isTls of [false, true]) {
  t.test(`HTTP/2 ${isTls ? 'with TLS' : 'in clear'}`, async (t) => {
    await t.test('a connection goes on, and the log knows whose client hung up', async (t) => {
      const { clock, lines, session, release, asked } = await open(t, isTls);
      const plain = { data: { plain: 'plain' } };
      t.same(await answer(ask(session, '{ plain }')), plain);
      for (let ms = 0; ms <= 3 * REQUEST_MS; ms += 100) await clock.advance(100);
      t.same(await answer(ask(session, '{ plain }')), plain);
      const waiting = ask(session, '{ held }');
      await until('it is asked', async () => asked() === 1);
      const closed = once(waiting, 'close');
      waiting.close(constants.NGHTTP2_CANCEL);
      await closed;
      const told = () => lines.filter(({ route }) => route === '/graphql');
      await until('all are logged', async () => told().length === 3);
      release('at last');
      t.match(told(), [{ status: 200 }, { status: 200 }, { status: 499, hungUp: true }]);
      for (const line of told().slice(0, 2)) t.notOk('hungUp' in line);
    });

    await t.test('what was asked is answered while the server stops', async (t) => {
      const { app, clock, session, release, asked } = await open(t, isTls);
      const waiting = ask(session, '{ held }');
      await until('it is asked', async () => asked() === 1);
      const ended = once(session, 'close');
      const last = once(session, 'goaway');
      const drained = app.drain(0, 10_000);
      await clock.advance(0);
      await last;
      release('at last');
      t.same(await answer(waiting), { data: { held: 'at last' } });
      await Promise.all([drained, ended]);
    });
  });
}
