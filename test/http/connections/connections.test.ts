import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { fastify } from 'fastify';
import { type Test, t } from 'tap';
import { drainingPlugin } from '../../../src/http/connections/draining.ts';
import { answerBadConnection } from '../../../src/http/errors/error-handler.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';

const REQUEST_MS = 1000;
const REQUEST = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';

/** A server whose time the test drives, Node's own limits aside, which are far. */
async function open(t: Test, maxIdle = 100) {
  const clock = manualClock();
  const app = fastify({ return503OnClosing: false, clientErrorHandler: answerBadConnection });
  await app.register(drainingPlugin, { clock, keepAliveMs: 600_000, requestTimeoutMs: REQUEST_MS, maxIdle });
  app.get('/', async () => 'answered');
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => app.close());
  let accepted: Socket[] = [];
  app.server.on('connection', (socket: Socket) => {
    accepted.push(socket);
  });
  const client = async () => {
    const before = accepted.length;
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    let said = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      said += chunk;
    });
    let isClosed = false;
    const closed = once(socket, 'close').then(() => {
      isClosed = true;
    });
    await until('it is accepted', async () => accepted.length > before);
    const served = accepted.at(-1) as Socket;
    return {
      said: () => said,
      closed,
      isClosed: () => isClosed,
      /** Returns when the server has read it. */
      async send(bytes: string) {
        const read = served.bytesRead;
        socket.write(bytes);
        await until('it is read', async () => served.bytesRead === read + bytes.length);
      },
    };
  };
  t.teardown(() => {
    accepted = [];
  });
  return { clock, client };
}

t.test('blank lines before a request do not keep a connection for ever', async (t) => {
  for (const when of ['before the first request', 'between requests']) {
    const { clock, client } = await open(t);
    const { said, send, closed } = await client();
    if (when === 'between requests') {
      await send(REQUEST);
      await until('it is answered', async () => said().includes('answered'));
    }
    for (let ms = 0; ms <= REQUEST_MS; ms += 100) {
      t.notMatch(said(), / 408 /, `${when}, not after ${ms} ms`);
      await send('\r\n');
      await clock.advance(100);
    }
    await clock.advance(200);
    await closed;
    t.match(said(), /HTTP\/1\.1 408 [\s\S]*REQUEST_TIMEOUT/, when);
  }
});

t.test(
  'of the connections that wait for requests, those that have waited longest are closed when there are too many',
  async (t) => {
    const { clock, client } = await open(t, 2);
    const clients = [];
    for (let i = 0; i < 4; i += 1) {
      clients.push(await client());
      await clock.advance(1);
    }
    const [first, second, third, fourth] = clients;
    if (!first || !second || !third || !fourth) throw new Error('There are four.');
    // It was the first, and now it has waited for the shortest time.
    await first.send(REQUEST);
    await until('it is answered', async () => first.said().includes('answered'));
    await clock.advance(REQUEST_MS);
    await Promise.all([second.closed, third.closed]);
    t.same([second.said(), third.said()], ['', ''], 'without a byte');
    for (const { send, said, isClosed } of [first, fourth]) {
      t.notOk(isClosed());
      await send(REQUEST);
      await until('it is answered', async () => said().endsWith('answered'));
    }
  },
);
