import dns from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { fastify } from 'fastify';
import { type Test, t } from 'tap';
import { drainingPlugin } from '../../../src/http/connections/draining.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';

const DELAY_MS = 5000;
const AT_MOST_MS = 10_000;

/** A server whose time the test drives, and which answers `/held` when it is told to. */
async function open(t: Test) {
  const clock = manualClock();
  const app = fastify({ return503OnClosing: false });
  await app.register(drainingPlugin, { clock, keepAliveMs: 60_000, requestTimeoutMs: 60_000 });
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const asked: string[] = [];
  app.addHook('onRequest', async ({ url }) => {
    asked.push(url);
  });
  app.get('/held', async () => {
    await released;
    return 'held';
  });
  app.get('/plain', async () => 'plain');
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const client = async () => {
    const socket = connect(port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    let said = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
    const closed = once(socket, 'close');
    await once(socket, 'connect');
    return {
      closed,
      said: () => said,
      async ask(path: string) {
        const before = asked.length;
        socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
        await until(`${path} is asked`, async () => asked.length > before);
      },
      answered: (times: number) => until('it is answered', async () => said.split('HTTP/1.1 200').length > times),
    };
  };
  const refused = async () => {
    const socket = connect(port, '127.0.0.1');
    const [error] = await Promise.race([once(socket, 'error'), once(socket, 'connect')]);
    socket.destroy();
    return error instanceof Error;
  };
  return { app, clock, client, refused, release };
}

t.test(
  'while proxies look, all goes on as before; then no connection is taken, and each hears that it is the last time',
  async (t) => {
    const { app, clock, client, refused } = await open(t);
    const [early, idle] = [await client(), await client()];
    await early.ask('/plain');
    await early.answered(1);
    await idle.ask('/plain');
    await idle.answered(1);
    let drained = false;
    const draining = app.drain(DELAY_MS, AT_MOST_MS).then(() => {
      drained = true;
    });
    t.ok(app.draining(), 'it is known at once');
    await clock.advance(DELAY_MS - 1);
    await early.ask('/plain');
    await early.answered(2);
    const late = await client();
    await late.ask('/plain');
    await late.answered(1);
    t.notMatch(early.said() + late.said(), /connection: close/i);
    await clock.advance(1);
    await until('the port is closed', refused);
    await early.ask('/plain');
    await early.closed;
    t.match(early.said().split(/(?=HTTP\/1\.1)/)[2], /200 OK[\s\S]*connection: close[\s\S]*plain$/i);
    t.notOk(drained, 'others may still ask');
    await clock.advance(499);
    await late.ask('/plain');
    await late.closed;
    await clock.advance(499);
    t.notOk(drained, 'and each request puts the end off');
    await clock.advance(1);
    await Promise.all([draining, idle.closed]);
    t.notMatch(idle.said(), /connection: close/i, 'a connection on which nothing is asked is closed then');
  },
);

t.test('a connection on which nothing was ever asked does not hold the end up', async (t) => {
  const { app, clock, client } = await open(t);
  const unused = await client();
  const draining = app.drain(0, AT_MOST_MS);
  for (let i = 0; i < 10; i += 1) await clock.advance(100);
  await draining;
  await unused.closed;
  await app.close();
  t.equal(unused.said(), '');
});

t.test('what is asked on a connection that is about to close is answered, and the last answer says so', async (t) => {
  const { app, clock, client, refused, release } = await open(t);
  const { ask, said, closed } = await client();
  await ask('/held');
  const drained = app.drain(0, AT_MOST_MS);
  await clock.advance(0);
  await until('the port is closed', refused);
  await ask('/plain');
  release();
  await Promise.all([drained, closed]);
  const [first = '', second = '', ...more] = said().split(/(?=HTTP\/1\.1)/);
  t.match(first, /200 OK[\s\S]*connection: keep-alive[\s\S]*held$/i);
  t.match(second, /200 OK[\s\S]*connection: close[\s\S]*plain$/i);
  t.same(more, []);
});

type Found = (error: NodeJS.ErrnoException | null, address: string | dns.LookupAddress[], family: number) => void;

t.test('whoever listens on several addresses learns that only the first stops without losing a request', async (t) => {
  // Not every machine has two for `localhost`.
  const { lookup } = dns;
  t.intercept(dns, 'lookup', {
    value: (host: string, options: dns.LookupOptions, done: Found) => {
      if (host !== 'localhost' || !options.all) return lookup(host, options, done);
      done(
        null,
        [
          { address: '127.0.0.1', family: 4 },
          { address: '127.0.0.2', family: 4 },
        ],
        4,
      );
    },
  });
  for (const [host, expected] of [
    ['127.0.0.1', []],
    ['localhost', [/app\.drain knows .* alone: listen with host/]],
  ] as const) {
    const said: string[] = [];
    const app = fastify({ logger: { level: 'warn', stream: { write: (line: string) => void said.push(line) } } });
    t.teardown(() => app.close());
    await app.register(drainingPlugin);
    await app.listen({ host, port: 0 });
    t.match(said, expected, host);
    t.equal(said.length, expected.length);
  }
});
