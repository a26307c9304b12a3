import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { t } from 'tap';
import { makeData } from '../support/data.ts';
import { counted, openSql, startServer } from '../support/server.ts';
import { freshDatabase } from '../support/services.ts';
import { until } from '../support/until.ts';
import { startProcess } from './child.ts';
import { codes, keepAlive, openRaw, send } from './client.ts';

const LIMIT_MS = 1000;
/** Node looks for connections that take too long ten times in that time; the rest is for a busy machine. */
const PATIENCE_MS = 30_000;

const server = await startServer(t, {
  redis: null,
  env: { REQUEST_TIMEOUT_MS: String(LIMIT_MS), DATABASE_POOL_SIZE: '1', STATEMENT_TIMEOUT_MS: '60000' },
});
await makeData(server.sql, { brands: 2, campaigns: 12, events: 30, perCampaign: 10 });

const APP = 'https://app.example';

const BODY = { query: '{ __typename }' };

t.test('a client that sends slowly is not waited for', async (t) => {
  const line = 'POST /graphql HTTP/1.1\r\n';
  const head = `${line}host: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n`;
  const slow = {
    'half a line': 'POST /gra',
    'a line': line,
    'half the headers': `${line}host: x\r\ncontent-type: app`,
    'headers without a body': head,
    'half a body': `${head}{"query":"{ __ty`,
    'half a chunk': `${line}host: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n100\r\n{"que`,
  };
  await Promise.all(
    Object.entries(slow).map(async ([name, bytes]) => {
      const connection = await openRaw(t, server.url, bytes);
      const ms = await connection.closed;
      t.ok(ms >= LIMIT_MS * 0.9 && ms < LIMIT_MS + PATIENCE_MS, `${name}: gone after ${ms.toFixed(0)} ms`);
      t.match(connection.text(), /^HTTP\/1\.1 408 .*\r\n[\s\S]*"code":"REQUEST_TIMEOUT"/);
    }),
  );
});

t.test('a client that takes its time before it begins has the whole time for its request', async (t) => {
  const request = 'GET /graphql?query={__typename} HTTP/1.1\r\nhost: x\r\n';
  const answered = /^HTTP\/1\.1 200 [\s\S]*\{"data":\{"__typename":"Query"\}\}/;
  const before = {
    'on a connection that was opened ahead': async () => openRaw(t, server.url, ''),
    'on one that was used before': async () => {
      const connection = await openRaw(t, server.url, `${request}\r\n`);
      await until('it is answered', async () => answered.test(connection.text()));
      return connection;
    },
  };
  await Promise.all(
    Object.entries(before).flatMap(([name, open]) => [
      (async () => {
        await until(`${name}: it is answered`, async () => {
          const connection = await open();
          const said = connection.text().length;
          // More than one has for a request, and for Node to see that it is over.
          await sleep(2.5 * LIMIT_MS);
          t.equal(connection.text().length, said, `${name}: nothing is said meanwhile`);
          const began = performance.now();
          connection.socket.write(request);
          await sleep(LIMIT_MS / 4);
          connection.socket.write('\r\n');
          const more = () => connection.text().slice(said);
          await until('there is an answer', () => more() !== '');
          // Where all stood still meanwhile, its time is over.
          if (performance.now() - began < LIMIT_MS) t.notMatch(more(), / 408 /);
          return answered.test(more());
        });
        t.pass(`${name}: it is answered`);
      })(),
      (async () => {
        const connection = await open();
        const said = connection.text().length;
        await sleep(2.5 * LIMIT_MS);
        const started = performance.now();
        connection.socket.write(request);
        await connection.closed;
        const ms = performance.now() - started;
        t.ok(ms >= LIMIT_MS * 0.9 && ms < LIMIT_MS + PATIENCE_MS, `${name}: gone ${ms.toFixed(0)} ms after it began`);
        t.match(connection.text().slice(said), /^HTTP\/1\.1 408 /);
      })(),
    ]),
  );
});

t.test('a connection on which nothing is asked stays for as long as is configured', async (t) => {
  const keptMs = 3 * LIMIT_MS;
  const kept = await startServer(t, {
    redis: null,
    env: { REQUEST_TIMEOUT_MS: String(LIMIT_MS), KEEP_ALIVE_TIMEOUT_MS: String(keptMs) },
  });
  const unused = await openRaw(t, kept.url, '');
  const used = await openRaw(t, kept.url, 'GET /graphql?query={__typename} HTTP/1.1\r\nhost: x\r\n\r\n');
  for (const [name, { closed }] of Object.entries({ unused, used })) {
    const ms = await closed;
    t.ok(ms >= keptMs * 0.9 && ms < keptMs + PATIENCE_MS, `${name}: closed after ${ms.toFixed(0)} ms`);
  }
  t.equal(unused.text(), '', 'without a byte');
  t.match(
    used.text(),
    /keep-alive: timeout=3\r\n[\s\S]*\{"data":\{"__typename":"Query"\}\}$/i,
    'and clients are told how long',
  );
});

t.test('a client that began to send is not cut off when connections stay for a shorter time', async (t) => {
  const brief = await startServer(t, {
    redis: null,
    env: { REQUEST_TIMEOUT_MS: String(8 * LIMIT_MS), KEEP_ALIVE_TIMEOUT_MS: String(LIMIT_MS / 2) },
  });
  const { socket, text, closed } = await openRaw(t, brief.url, 'GET /graphql?query={__typename} HTTP/1.1\r\n');
  await sleep(2 * LIMIT_MS);
  socket.write('host: x\r\n\r\n');
  await closed;
  t.match(text(), /^HTTP\/1\.1 200 [\s\S]*\{"data":\{"__typename":"Query"\}\}$/);
});

t.test('one byte now and then does not help', async (t) => {
  const dribble = 'GET /graphql?query={__typename} HTTP/1.1\r\nhost: x\r\nx: ';
  const connections = await Promise.all(Array.from({ length: 50 }, () => openRaw(t, server.url, dribble)));
  const timer = setInterval(() => {
    for (const { socket } of connections) if (socket.writable) socket.write('a');
  }, 50);
  t.teardown(() => clearInterval(timer));
  t.equal((await send(server.url, { body: BODY })).status, 200, 'others are served meanwhile');
  const times = await Promise.all(connections.map(({ closed }) => closed));
  t.ok(Math.max(...times) < LIMIT_MS + PATIENCE_MS, `the last is gone after ${Math.max(...times).toFixed(0)} ms`);
});

t.test('a client that sends on after its answer is not waited for either, and hears nothing more', async (t) => {
  const heads = {
    'when others may follow': 'content-type: text/plain\r\n',
    'when it is the last': 'content-type: text/plain\r\nconnection: close\r\n',
    'when it is too large': 'content-type: application/json\r\n',
  };
  await Promise.all(
    Object.entries(heads).map(async ([name, head]) => {
      const bytes = `POST /graphql HTTP/1.1\r\nhost: x\r\n${head}content-length: 99999999999\r\n\r\n`;
      const { socket, closed, text } = await openRaw(t, server.url, bytes);
      const timer = setInterval(() => socket.writable && socket.write('x'.repeat(1000)), 20);
      t.teardown(() => clearInterval(timer));
      await until('it is answered', async () => text().endsWith('}'));
      const said = text();
      t.match(said, /^HTTP\/1\.1 41[35] [\s\S]*"code":"(UNSUPPORTED_MEDIA_TYPE|PAYLOAD_TOO_LARGE)"/, name);
      const ms = await closed;
      t.ok(ms < LIMIT_MS + PATIENCE_MS, `gone after ${ms.toFixed(0)} ms`);
      t.equal(text(), said);
    }),
  );
});

t.test('a connection on which an answer came before the end of its request is as good as any', async (t) => {
  const kept = await startServer(t, {
    redis: null,
    env: { REQUEST_TIMEOUT_MS: String(LIMIT_MS), BODY_LIMIT_BYTES: '1000' },
  });
  const head = `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n`;
  for (;;) {
    const began = performance.now();
    const { socket, text } = await openRaw(t, kept.url, `${head}content-length: 2000\r\n\r\n${'x'.repeat(1000)}`);
    await until('it is answered', async () => text().endsWith('}'));
    socket.write('x'.repeat(1000));
    // An answer to a later request says that the server has read all of it.
    await send(kept.url, { body: BODY });
    // Where all stood still meanwhile, its time is over.
    if (performance.now() - began >= LIMIT_MS) continue;
    // Longer than a request may take, and longer than it takes to see that.
    await sleep(2.5 * LIMIT_MS);
    socket.write('GET /graphql?query={__typename} HTTP/1.1\r\nhost: x\r\n\r\n');
    await until('the next is answered', async () => text().endsWith('{"data":{"__typename":"Query"}}'));
    t.match(text(), /^HTTP\/1\.1 413 [\s\S]*HTTP\/1\.1 200 /);
    return;
  }
});

t.test('a client that does not read its answer is not waited for either', async (t) => {
  await server.sql`update campaigns set body = repeat('x', 200000)`;
  // More than the buffers of both sides hold, in few pieces: it has to be there within the limit.
  const many = `{ ${Array.from({ length: 8 }, (_, i) => `a${i}: campaigns(first: 12) { nodes { body } }`).join(' ')} }`;
  const body = JSON.stringify({ query: many });
  await until('it is answered in time', async () => (await send(server.url, { body: { query: many } })).status === 200);
  const head = 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  const ask = async () => {
    // The server is in this process, and so is its end of the connection.
    const accepted = new Promise<Socket>((resolve) => {
      const onAccept = (message: unknown) => {
        unsubscribe('net.server.socket', onAccept);
        resolve((message as { socket: Socket }).socket);
      };
      subscribe('net.server.socket', onAccept);
    });
    const connection = await openRaw(t, server.url, `${head}content-length: ${body.length}\r\n\r\n${body}`);
    await once(connection.socket, 'data');
    connection.socket.pause();
    return { connection, accepted: await accepted };
  };
  let { connection, accepted } = await ask();
  // Where all stood still meanwhile, it was not there within the limit.
  while (connection.text().startsWith('HTTP/1.1 503 ')) ({ connection, accepted } = await ask());
  const started = performance.now();
  if (!accepted.destroyed) await once(accepted, 'close');
  const ms = performance.now() - started;
  t.ok(ms < 3 * LIMIT_MS + PATIENCE_MS, `gone after ${ms.toFixed(0)} ms`);
  t.notOk(connection.socket.destroyed);
  connection.socket.resume();
  await connection.closed;
  t.notMatch(connection.text(), /\}\]\}\}\}$/, 'the end of the answer has never been sent');
});

t.test('a statement that takes too long is answered for in time', async (t) => {
  await server.sql.begin(async (transaction) => {
    await transaction`lock table brands in access exclusive mode`;
    for (const sent of [
      { body: { query: '{ brands { totalCount } }' } },
      { search: { query: '{ brands { totalCount } }' } },
    ]) {
      const answer = await send(server.url, sent);
      t.same([answer.status, codes(answer)], [503, ['UNAVAILABLE']]);
      t.match(answer.headers['retry-after'], /^\d+$/);
      t.ok(answer.ms > LIMIT_MS * 0.9 && answer.ms < LIMIT_MS + PATIENCE_MS, `${answer.ms.toFixed(0)} ms`);
    }
  });
  const query = { body: { query: '{ brands { totalCount } }' } };
  await until('it answers again', async () => (await send(server.url, query)).status === 200);
});

t.test('a client that hangs up frees what it held', async (t) => {
  const patient = await startServer(t, {
    redis: null,
    env: { DATABASE_POOL_SIZE: '1', STATEMENT_TIMEOUT_MS: '60000', REQUEST_TIMEOUT_MS: '60000' },
  });
  await makeData(patient.sql, { brands: 2, campaigns: 12, events: 30, perCampaign: 10 });
  const waiting = async () => {
    const [row] = await patient.sql`
      select count(*)::int as n from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and application_name = 'larder'`;
    return Number(row?.n);
  };
  const clients = 60;
  // Each asks for another page: those that ask for the same would share a statement.
  const raw = (first: number) => {
    const query = 'query ($first: Int) { brands(first: $first) { totalCount } }';
    const body = JSON.stringify({ query, variables: { first } });
    return `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  };
  const { sql: statements, statements: counts } = await counted(
    { database: patient.database, redis: null },
    async () => {
      const other = openSql(t, patient.database);
      let release = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      let isLocked = () => {};
      const locked = new Promise<void>((resolve) => {
        isLocked = resolve;
      });
      const lock = other.begin(async (transaction) => {
        await transaction`lock table brands in access exclusive mode`;
        isLocked();
        await released;
      });
      await locked;
      const connections = await Promise.all(Array.from({ length: clients }, (_, i) => openRaw(t, patient.url, raw(i))));
      await until('a statement waits for the lock', async () => (await waiting()) > 0);
      // An answer to a later request says that the server has read all the earlier ones.
      await send(patient.url, { body: BODY });
      for (const { socket } of connections) socket.destroy();
      await Promise.all(connections.map(({ closed }) => closed));
      await send(patient.url, { body: BODY });
      release();
      await lock;
      const answer = await send(patient.url, { body: { query: '{ brands(first: 2) { nodes { name } } }' } });
      t.same(
        answer.json.data,
        { brands: { nodes: [{ name: 'Brand 1' }, { name: 'Brand 2' }] } },
        'the next client is answered',
      );
    },
  );
  t.ok(statements > 0);
  const lists = counts.filter(({ query }) => /brands/.test(query) && /count/.test(query));
  const calls = lists.reduce((sum, { calls }) => sum + calls, 0);
  t.ok(calls > 0 && calls < clients / 2, `of ${clients} statements for clients that hung up, ${calls} began`);
  await until('nothing is under way', async () => {
    const [row] = await patient.sql`
      select count(*)::int as n from pg_stat_activity
      where datname = current_database() and application_name = 'larder' and state <> 'idle'`;
    return Number(row?.n) === 0;
  });
});

t.test('a server whose event loop lags turns requests away, and stays alive', async (t) => {
  const database = await freshDatabase(t);
  // More than a busy machine makes it lag, and much less than it stands still.
  const env = { MAX_EVENT_LOOP_DELAY_MS: '60', CORS_ORIGINS: APP };
  const strained = await startProcess(t, { database, redis: null }, env);
  const agent = keepAlive(t, 2);
  let refused = null as Awaited<ReturnType<typeof send>> | null;
  // It looks once a second how long it stood still on the average, and moves little between these pauses.
  await until('it turns somebody away', async () => {
    strained.kill('SIGSTOP');
    const headers = { origin: APP, 'access-control-request-method': 'POST' };
    const asked = Promise.all([
      send(strained.url, { body: BODY, headers: { origin: APP }, agent }),
      send(strained.url, { method: 'OPTIONS', headers, agent }),
    ]);
    await sleep(1500);
    strained.kill('SIGCONT');
    const [answer, preflight] = await asked;
    t.same(
      [preflight.status, preflight.headers['access-control-allow-origin']],
      [204, APP],
      'browsers that ask what they may do are answered',
    );
    if (answer.status !== 200) refused = answer;
    return refused !== null;
  });
  t.equal(refused?.status, 503);
  t.equal(refused?.headers['retry-after'], '1');
  t.equal(refused?.headers['access-control-allow-origin'], APP, 'which pages may read');
  t.same(refused === null ? [] : codes(refused), ['UNAVAILABLE']);
  t.equal((await send(strained.url, { path: '/healthz' })).status, 200, '/healthz is answered');
  const ready = await send(strained.url, { path: '/readyz' });
  const { postgres } = JSON.parse(ready.text) as { postgres: unknown };
  t.type(postgres, 'boolean', '/readyz says how Postgres is, not how the door is');
  // Postgres is given a second, and a busy machine may take longer.
  t.ok(ready.status === 200 || ready.ms >= 1000, `${ready.status} after ${ready.ms} ms`);
  t.equal((await fetch(strained.metricsUrl)).status, 200, 'and so are the metrics');
  await until('requests are taken again', async () => (await send(strained.url, { body: BODY })).status === 200);
});
