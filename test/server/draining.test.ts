import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { fastify } from 'fastify';
import { t } from 'tap';
import { drainingPlugin } from '../../src/server/draining.ts';
import { until } from '../support/server.ts';

t.test('what is asked on a connection that is about to close is answered, and the last answer says so', async (t) => {
  const app = fastify({ return503OnClosing: false });
  await app.register(drainingPlugin);
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const asked: string[] = [];
  app.addHook('onRequest', async ({ url }) => {
    asked.push(url);
  });
  app.get('/first', async () => {
    await released;
    return 'first';
  });
  app.get('/second', async () => 'second');
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => app.close());
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  let said = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  const closed = once(socket, 'close');
  const ask = async (path: string) => {
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await until(`${path} is asked`, async () => asked.includes(path));
  };
  await ask('/first');
  const drained = app.drain();
  await ask('/second');
  release();
  await Promise.all([drained, closed]);
  const [first = '', second = '', ...more] = said.split(/(?=HTTP\/1\.1)/);
  t.match(first, /200 OK[\s\S]*connection: keep-alive[\s\S]*first$/i);
  t.match(second, /200 OK[\s\S]*connection: close[\s\S]*second$/i);
  t.same(more, []);
});
