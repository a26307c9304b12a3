import { Agent, get, type IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { t } from 'tap';
import { createServer } from '../../../src/http/index.ts';
import { createLarder } from '../../../src/index.ts';
import { entities, fillLibrary, librarySchema } from '../../kit/library.ts';
import { freshDatabase } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';

const REQUESTS = 200;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const database = await freshDatabase(t);
await fillLibrary(openSql(t, database), 1, 1);
const larder = await createLarder({ entities, postgres: { url: database.url } });
t.teardown(larder.close);

t.test('requests that were refused do not stay in memory while their connection is used', async (t) => {
  const app = await createServer({ larder, schema: librarySchema() });
  t.teardown(() => app.close());
  const seen: WeakRef<IncomingMessage>[] = [];
  let connections = 0;
  app.server.on('connection', () => {
    connections += 1;
  });
  app.server.prependListener('request', (request: IncomingMessage) => seen.push(new WeakRef(request)));
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  for (let i = 0; i < REQUESTS; i += 1) {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = get(`${url}/nowhere`, { agent }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode));
      });
      sent.once('error', reject);
    });
    if (status !== 404) t.equal(status, 404);
  }
  for (let i = 0; i < 3; i += 1) {
    await nextTurn();
    collect();
  }
  t.same([seen.length, connections], [REQUESTS, 1]);
  const alive = seen.filter((request) => request.deref() !== undefined).length;
  // Node has the last one, too.
  t.ok(alive <= 2, `${alive} are alive`);
});
