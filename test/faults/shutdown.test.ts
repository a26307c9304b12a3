import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TransactionSql } from 'postgres';
import { type Test, t } from 'tap';
import { makeData } from '../support/data.ts';
import { ownPostgres } from '../support/own-stores.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { until } from '../support/until.ts';
import { PATIENT, startLarder } from './support/larder.ts';

const CONNECTIONS = 64;

/** Half of how long no request must come until the server takes its clients for gone: two standstills may follow each other. */
const STANDSTILL_MS = 250;

/** How often a round is done that clients may have spoilt, who stood still. */
const ROUNDS = 20;

const QUERY = '{ campaigns(first: 5) { nodes { title events(first: 2) { nodes { title } } } } }';

/** What became of the requests of one connection. */
interface Fate {
  answered: number;
  /** Sent, and not answered as they would have been before. */
  readonly lost: unknown[];
  /** Whether the server said that it would close the connection. */
  announced: boolean;
}

/** One connection that asks again and again, until the server says that it will close it, or does so while nothing is asked. */
async function client(url: string, pauseMs: () => number): Promise<Fate> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const fate: Fate = { answered: 0, lost: [], announced: false };
  let closed = false;
  let known: Socket | null = null;
  const ask = () =>
    new Promise<boolean>((resolve) => {
      const body = JSON.stringify({ query: QUERY });
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const sent = request(`${url}/graphql`, { method: 'POST', agent, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.once('error', (error) => {
          fate.lost.push(error);
          resolve(false);
        });
        response.once('end', () => {
          const whole = response.statusCode === 200 && JSON.parse(text).data?.campaigns.nodes.length === 5;
          if (whole) fate.answered += 1;
          else fate.lost.push({ status: response.statusCode, text: text.slice(0, 200) });
          fate.announced = response.headers.connection === 'close';
          resolve(!fate.announced);
        });
      });
      sent.once('socket', (socket) => {
        if (socket === known) return;
        known = socket;
        socket.once('close', () => {
          closed = true;
        });
      });
      sent.once('error', (error) => {
        fate.lost.push(error);
        resolve(false);
      });
      sent.end(body);
    });
  while ((await ask()) && !closed) {
    const ms = pauseMs();
    // A tick at least, so that a connection that has been closed is known to be.
    await new Promise((resolve) => (ms === 0 ? setImmediate(resolve) : setTimeout(resolve, ms)));
    if (closed) break;
  }
  agent.destroy();
  return fate;
}

/** @returns tells, once, for how long at most this process has stood still since */
function standstill(): () => number {
  let last = performance.now();
  let longest = 0;
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(look, 20);
  return () => {
    clearInterval(timer);
    look();
    return longest;
  };
}

async function open(t: Test, env: Readonly<Record<string, string>> = {}) {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  await makeData(sql, { brands: 5, campaigns: 50, events: 200, perCampaign: 10 });
  const larder = await startLarder(t, {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    INSPECT: 'off',
    LOG_LEVEL: 'info',
    ...PATIENT,
    ...env,
  });
  return { larder, sql };
}

for (const [signal, load, pauseMs] of [
  ['SIGTERM', 'without a pause', () => 0],
  ['SIGINT', 'now and then', () => Math.random() * 50],
] as const) {
  t.test(`${signal} while ${CONNECTIONS} connections ask ${load}`, async (t) => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const { larder } = await open(t);
      const fates = Array.from({ length: CONNECTIONS }, () => client(larder.url, pauseMs));
      await until(
        'all are at it',
        async () => (larder.output().match(/"status":200/g)?.length ?? 0) >= 2 * CONNECTIONS,
      );
      const stoodStill = standstill();
      larder.kill(signal);
      const ended = await Promise.all(fates);
      const stillMs = Math.round(stoodStill());
      const lost = ended.flatMap((fate) => fate.lost);
      const answered = ended.reduce((sum, fate) => sum + fate.answered, 0);
      const announced = ended.filter((fate) => fate.announced).length;
      t.comment({ answered, announced, lost: lost.length, stillMs });
      t.equal(await larder.ended, 'exit code 0');
      t.notMatch(larder.output(), /"level":[56]0/, 'and nothing went wrong');
      // No request comes from clients that stand still, and their answers lie unread: the server may take them for gone.
      const isSpoilt = stillMs >= STANDSTILL_MS && (lost.length > 0 || announced < CONNECTIONS);
      if (isSpoilt && round < ROUNDS) continue;
      t.same(lost.slice(0, 3), [], 'no request is lost');
      t.equal(announced, CONNECTIONS, 'each client was told before its connection was closed');
      return;
    }
  });
}

/** Whether nobody listens any more. */
async function refused(url: string): Promise<boolean> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const outcome = await new Promise((resolve) => {
    socket.once('connect', () => resolve(null));
    socket.once('error', resolve);
  });
  socket.destroy();
  return outcome instanceof Error && 'code' in outcome && outcome.code === 'ECONNREFUSED';
}

function get(url: string, agent: Agent): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode, body }));
    });
    sent.once('error', reject);
    sent.end();
  });
}

/** Waits until a statement of the server waits for a lock. */
async function blocked(sql: TransactionSql): Promise<void> {
  await until('it waits for the lock', async () => {
    // Within a transaction pg_stat_activity stays as it was at first; pg_locks does not.
    const rows = await sql`
      select from pg_locks
      where not granted and database = (select oid from pg_database where datname = current_database())`;
    return rows.length > 0;
  });
}

t.test(`${CONNECTIONS} requests that are all under way are waited for`, async (t) => {
  const { larder, sql } = await open(t, { SHUTDOWN_TIMEOUT_MS: '60000' });
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  t.teardown(() => agent.destroy());
  const asked: ReturnType<typeof larder.query>[] = [];
  let answered = 0;
  await sql.begin(async (sql) => {
    await sql`lock table campaigns in access exclusive mode`;
    for (let i = 0; i < CONNECTIONS; i += 1) {
      const asking = larder.query(QUERY, {}, { agent });
      asked.push(asking);
      asking.then(
        () => {
          answered += 1;
        },
        () => {},
      );
    }
    await blocked(sql);
    larder.kill('SIGTERM');
    await until('the server is told', async () => larder.output().includes('SIGTERM'));
    // Nothing is open from then on but the connections of these.
    await until('the port is closed', () => refused(larder.url));
    await sleep(1000);
    t.equal(answered, 0, 'none can have been answered yet');
  });
  const answers = await Promise.all(asked);
  t.equal(answers.filter(({ status, errors }) => status === 200 && errors === undefined).length, CONNECTIONS);
  t.equal(await larder.ended, 'exit code 0');
});

t.test('while it says that it is about to stop, it takes connections and answers; then it takes none', async (t) => {
  // Six requests must come within it, on any machine.
  const delayMs = 20_000;
  const { larder } = await open(t, { SHUTDOWN_DELAY_MS: String(delayMs) });
  const unused = connect(Number(new URL(larder.url).port), '127.0.0.1');
  await once(unused, 'connect');
  const started = performance.now();
  larder.kill('SIGTERM');
  await until('the server is told', async () => larder.output().includes('SIGTERM'));
  for (let i = 0; i < 3; i += 1) {
    const agent = new Agent();
    t.match(await get(`${larder.url}/readyz`, agent), { status: 503, body: /"status":"draining"/ });
    t.match(await larder.query(QUERY, {}, { agent }), { status: 200, errors: undefined });
  }
  t.notOk(unused.closed, 'a connection that is not used stays');
  await until('the port is closed', () => refused(larder.url));
  const ms = performance.now() - started;
  t.ok(ms >= delayMs * 0.9, `not before the delay is over, but after ${Math.round(ms)} ms`);
  t.equal(await larder.ended, 'exit code 0', 'and the unused connection does not hold it up');
});

t.test('connections that wait to be accepted when it is told to stop are answered', async (t) => {
  const { larder } = await open(t);
  // While it stands still, the kernel takes connections for it.
  larder.kill('SIGSTOP');
  const sockets = Array.from({ length: CONNECTIONS }, () => connect(Number(new URL(larder.url).port), '127.0.0.1'));
  const heard = sockets.map(async (socket) => {
    await once(socket, 'connect');
    socket.write('GET /graphql?query={__typename} HTTP/1.1\r\nhost: x\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += chunk;
    return text;
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  larder.kill('SIGTERM');
  larder.kill('SIGCONT');
  const answers = await Promise.all(heard);
  t.equal(answers.filter((text) => text.endsWith('{"data":{"__typename":"Query"}}')).length, CONNECTIONS);
  t.equal(await larder.ended, 'exit code 0');
});

t.test('a request that takes longer than the delay is cut off', async (t) => {
  const delayMs = 2000;
  const env = { SHUTDOWN_TIMEOUT_MS: String(delayMs), STATEMENT_TIMEOUT_MS: '60000', REQUEST_TIMEOUT_MS: '60000' };
  const { larder, sql } = await open(t, env);
  await sql.begin(async (sql) => {
    await sql`lock table campaigns in access exclusive mode`;
    const asked = t.rejects(larder.query(QUERY), 'the connection breaks');
    await blocked(sql);
    const started = performance.now();
    larder.kill('SIGTERM');
    t.equal(await larder.ended, 'exit code 1', 'and who looks at the exit code knows');
    const ms = performance.now() - started;
    t.ok(ms >= delayMs * 0.9, `not before the delay is over, but after ${Math.round(ms)} ms`);
    await asked;
  });
});

t.test('what hangs does not keep it', async (t) => {
  const store = await ownPostgres(t);
  const redis = await freshRedis(t);
  const larder = await startLarder(t, { DATABASE_URL: store.url, REDIS_URL: redis.url, SHUTDOWN_TIMEOUT_MS: '20000' });
  t.match(await larder.query('{ brands { totalCount } }'), { status: 200 });
  await store.stop();
  redis.kill('SIGSTOP');
  larder.kill('SIGTERM');
  t.equal(await larder.ended, 'exit code 0', 'with its stores away it still ends in order');
});
