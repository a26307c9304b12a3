import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Test, t } from 'tap';
import { openSql, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

interface Readiness {
  readonly status: string;
  readonly postgres: boolean;
  readonly redis: boolean | null;
  readonly outbox: { readonly depth: number; readonly ageMs: number } | null;
}

async function ask(url: string, path: string) {
  const response = await fetch(url + path);
  return { code: response.status, body: (await response.json()) as Readiness };
}

t.test('ready, degraded without Redis, and with what waits in the outbox', async (t) => {
  const server = await startServer(t);
  t.same(await ask(server.url, '/healthz'), { code: 200, body: { status: 'alive', version } });
  const body = { status: 'ready', postgres: true, redis: true, domain: 'joined', outbox: { depth: 0, ageMs: 0 } };
  let answer: Awaited<ReturnType<typeof ask>> | null = null;
  await until('the drainer has looked, and Redis is not held up', async () => {
    answer = await ask(server.url, '/readyz');
    return answer.body.outbox !== null && answer.body.status === 'ready';
  });
  t.same(answer, { code: 200, body });

  await server.redis.stop();
  // What Redis cannot be told to forget has to wait.
  await server.sql`insert into brands (id, name) values (1, 'x'), (2, 'y')`;
  await until('the drainer has seen it', async () => (await ask(server.url, '/readyz')).body.outbox?.depth === 2);
  const { code, body: degraded } = await ask(server.url, '/readyz');
  t.equal(code, 200);
  t.match(degraded, { status: 'degraded', postgres: true, redis: false, outbox: { depth: 2 } });
  t.ok(Number.isInteger(degraded.outbox?.ageMs));
  await until('it has grown old', async () => ((await ask(server.url, '/readyz')).body.outbox?.ageMs ?? 0) > 0);
});

t.test('not ready without Postgres, yet alive', async (t) => {
  const server = await startServer(t, { redis: null });
  let answer: Awaited<ReturnType<typeof ask>> | null = null;
  await until('Postgres has answered', async () => {
    answer = await ask(server.url, '/readyz');
    return answer.code === 200;
  });
  t.match(answer, { code: 200, body: { status: 'ready', redis: null } });
  const admin = openSql(t, { url: process.env.LARDER_TEST_POSTGRES_URL ?? '' });
  await admin.unsafe(`alter database ${server.database.name} with allow_connections false`);
  await until('Postgres is away', async () => {
    await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${server.database.name}`;
    return (await ask(server.url, '/readyz')).code === 503;
  });
  t.match((await ask(server.url, '/readyz')).body, { status: 'unavailable', postgres: false });
  t.equal((await ask(server.url, '/healthz')).code, 200);
});

/**
 * Closes a server while one connection waits for a page that Postgres does not give yet, and then lets Postgres give it.
 *
 * @param t the test that it is for
 * @param meanwhile asks more on the connection, and begins to close the server by `close`
 * @returns all that the connection was sent until it was closed
 */
async function closedMeanwhile(
  t: Test,
  meanwhile: (ask: (path: string) => void, close: () => void, url: string) => Promise<void>,
): Promise<string> {
  const server = await startServer(t, { redis: null });
  const { hostname, port, host } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  let said = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  const closed = once(socket, 'close');
  let closing: Promise<void> | null = null;
  await server.sql.begin(async (sql) => {
    await sql`lock table brands in access exclusive mode`;
    const body = JSON.stringify({ query: '{ brands(first: 1) { nodes { id } } }' });
    const head = `POST /graphql HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json`;
    socket.write(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    const waits = 'select from pg_locks where not granted and relation = $1::regclass';
    await until('a statement waits', async () => (await sql.unsafe(waits, ['brands'])).length > 0);
    const ask = (path: string) => void socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    const close = () => {
      closing = server.close();
    };
    await meanwhile(ask, close, server.url);
  });
  await Promise.all([closing, closed]);
  t.match(said, /^HTTP\/1\.1 200 [\s\S]*"data":\{"brands":\{"nodes":\[\]\}\}/, 'what was accepted is answered');
  return said;
}

t.test('not ready while it drains', async (t) => {
  const said = await closedMeanwhile(t, async (ask, close, url) => {
    close();
    ask('/readyz');
    await until('nobody new is let in', () =>
      fetch(`${url}/healthz`).then(
        () => false,
        () => true,
      ),
    );
  });
  t.match(said, /HTTP\/1\.1 503 [\s\S]*"status":"draining"/);
});

t.test('a connection is closed after answers that did not say so', async (t) => {
  const said = await closedMeanwhile(t, async (ask, close) => {
    // Answered at once, and kept back until the first one is.
    ask('/healthz');
    await sleep(200);
    close();
    await sleep(50);
  });
  t.match(said, /"data"[\s\S]*HTTP\/1\.1 200 [\s\S]*"status"/);
});
