import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Test, t } from 'tap';
import { exited, guardProcess, stopGroup } from '../../src/cli/services/process.ts';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { startProcess } from '../http/child.ts';
import { send } from '../http/client.ts';
import { makeData } from '../support/data.ts';
import { openRedis, openSql } from '../support/server.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
import { until } from '../support/until.ts';

type Line = Record<string, unknown>;

const PAGES = 'query Pages($first: Int!) { campaigns(first: $first) { nodes { title } } }';
const TRACE = '0af7651916cd43dd8448eb211c80319c';

const database = await freshDatabase(t);
const redis = await freshRedis(t);
const sql = openSql(t, database);
await makeData(sql, { brands: 2, campaigns: 10, events: 10, perCampaign: 2 });

/** A process of its own, since a log goes to the process' output. */
async function start(t: Test, env: Record<string, string>) {
  const child: ChildProcess = spawn(process.execPath, ['--import=tsx', 'src/main.ts'], {
    cwd: REPOSITORY,
    env: {
      ...process.env,
      NODE_ENV: 'production',
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      PORT: '0',
      METRICS_PORT: '0',
      // What is slow on a busy machine is a line of another kind, and of a share of them all are.
      SLOW_REQUEST_MS: '600000',
      MAX_EVENT_LOOP_DELAY_MS: '0',
      REDIS_TIMEOUT_MS: String(REDIS_PATIENCE_MS),
      STATEMENT_TIMEOUT_MS: '30000',
      REQUEST_TIMEOUT_MS: '60000',
      ...env,
    },
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const guard = guardProcess(-(child.pid as number), null);
  t.teardown(async () => {
    await stopGroup(child, 5000);
    await guard.release();
  });
  const said: string[] = [];
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => said.push(line));
  const address = () => said.map((line) => /listening at (http:\/\/[\d.]+:\d+)/.exec(line)?.[1]).find(Boolean);
  await until(
    'the server listens',
    async () => {
      if (child.exitCode !== null) throw new Error(`The server ended with ${await exited(child)}.`);
      return address() !== undefined;
    },
    120,
  );
  const url = address() as string;
  const post = (body: object, headers: Record<string, string> = {}) =>
    fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  /** The lines about a request. */
  const linesOf = async (id: string | null): Promise<Line[]> => {
    const about = () => said.filter((line) => line.includes(`"requestId":"${id}"`));
    await until(`the line of ${id}`, async () => about().some((line) => line.includes('request"}')));
    return about().map((line) => JSON.parse(line) as Line);
  };
  return { url, post, said, linesOf };
}

t.test('one line of JSON for each request', async (t) => {
  const file = join(t.testdir({}), 'documents.json');
  writeFileSync(file, JSON.stringify({ [createHash('sha256').update(PAGES).digest('hex')]: PAGES }));
  const { url, post, said, linesOf } = await start(t, { TRUSTED_DOCUMENTS_FILE: file });

  const trusted = await post(
    { query: PAGES, variables: { first: 3 } },
    { 'x-request-id': 'from-a-proxy.1', traceparent: `00-${TRACE}-b7ad6b7169203331-01` },
  );
  t.equal(trusted.headers.get('x-request-id'), 'from-a-proxy.1');
  const lines = await linesOf('from-a-proxy.1');
  t.equal(lines.length, 1);
  t.match(lines[0], {
    msg: 'request',
    level: 30,
    method: 'POST',
    route: '/graphql',
    status: 200,
    ms: Number,
    operation: 'Pages',
    cost: Number,
    statements: 2,
    commands: Number,
    hits: 0,
    misses: 3,
    traceId: TRACE,
  });
  t.notOk('errors' in (lines[0] ?? {}));

  const secret = 'sEcReT-vAlUe';
  const stranger = await post(
    { query: `query ${'Stranger'} { campaign(id: "${secret}") { title } nope }`, variables: { a: secret } },
    { 'x-request-id': `bad id\t${secret}`, traceparent: 'nonsense', authorization: `Bearer ${secret}` },
  );
  const id = stranger.headers.get('x-request-id');
  t.match(id, /^[0-9a-f-]{36}$/, 'what is not well-formed is replaced');
  t.match(await linesOf(id), [
    { operation: 'other', errors: ['GRAPHQL_VALIDATION_FAILED'], cost: null, statements: 0 },
  ]);
  await fetch(`${url}/graphql?query=${secret}&variables=${secret}`, {
    headers: { cookie: `a=${secret}`, 'x-request-id': 'get' },
  });
  t.match(await linesOf('get'), [{ method: 'GET', route: '/graphql', status: 400 }]);
  t.notMatch(said.join('\n'), secret);
  t.notMatch(said.join('\n'), 'Stranger');
  t.notMatch(said.join('\n'), /nonsense/);

  await fetch(`${url}/nothing/${secret}`, { headers: { 'x-request-id': 'none' } });
  t.match(await linesOf('none'), [{ route: 'none', status: 404 }]);
});

t.test('of requests that went well a share is logged, and of others each', async (t) => {
  const { post, said, linesOf } = await start(t, { REQUEST_LOG_RATE: '0' });
  const fine = await post({ query: '{ brands(first: 1) { totalCount } }' }, { 'x-request-id': 'fine' });
  t.equal(fine.status, 200);
  await post({ query: '{ nope }' }, { 'x-request-id': 'wrong' });
  t.match(await linesOf('wrong'), [{ errors: ['GRAPHQL_VALIDATION_FAILED'] }]);
  t.notOk(
    said.some((line) => line.includes('"requestId":"fine"')),
    'what came before it would be there by now',
  );
  const slow = await start(t, { REQUEST_LOG_RATE: '0', SLOW_REQUEST_MS: '0' });
  await slow.post({ query: '{ brands(first: 1) { totalCount } }' }, { 'x-request-id': 'slow' });
  t.match(await slow.linesOf('slow'), [{ msg: 'slow request' }]);
});

t.test('in production every line is JSON, from the first to the last', async (t) => {
  /** What a process says, and what it ends with. */
  const run = async (env: Record<string, string>, whenUp = (_child: ChildProcess) => {}) => {
    // It may listen before Redis has answered.
    const isUp = (text: string) => text.includes('listening at') && text.includes('INFO');
    const child = spawn(process.execPath, ['--import=tsx', 'src/main.ts'], {
      cwd: REPOSITORY,
      env: { ...process.env, NODE_ENV: 'production', DATABASE_URL: database.url, PORT: '0', METRICS_PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        const before = isUp(said);
        said += text;
        if (!before && isUp(said)) whenUp(child);
      });
    }
    const [code] = (await once(child, 'close')) as [number | null];
    const lines = said.split('\n').filter((line) => line !== '');
    return { code, lines: lines.map((line) => JSON.parse(line) as Line) };
  };

  // ioredis says on the console that it may not ask for INFO.
  await openRedis(t, redis).call('ACL', 'SETUSER', 'uninformed', 'on', 'nopass', '~*', '&*', '+@all', '-info');
  const ended = await run({ REDIS_URL: redis.url.replace('redis://', 'redis://uninformed:x@') }, (child) =>
    child.kill('SIGTERM'),
  );
  t.equal(ended.code, 0);
  t.match(ended.lines[0], { level: 30, msg: /^Larder \d/, version: /^\d+\.\d+\.\d+/ }, 'the first names the version');
  t.ok(
    ended.lines.some(({ source, msg }) => source === 'console' && String(msg).includes('INFO')),
    'what ioredis says on the console',
  );
  t.ok(
    ended.lines.some(({ msg }) => String(msg).startsWith('SIGTERM')),
    'that it was told to stop',
  );

  const wrong = await run({ PORT: 'http' });
  t.equal(wrong.code, 1);
  t.match(wrong.lines.at(-1), { level: 60, msg: 'the server does not start', reason: /PORT/ });
});

t.test('a slow request is a warning that names its slowest statement', async (t) => {
  const { post, linesOf } = await start(t, { SLOW_REQUEST_MS: '0' });
  const { headers } = await post({ query: '{ campaigns(first: 2) { nodes { title } } }' });
  t.match(await linesOf(headers.get('x-request-id')), [
    { level: 40, msg: 'slow request', slowest: { statement: /^Campaign\./, ms: Number } },
  ]);
});

t.test('a log of warnings tells of slow requests alone', async (t) => {
  const slowMs = 50;
  const server = await startProcess(t, { database, redis }, { LOG_LEVEL: 'warn', SLOW_REQUEST_MS: String(slowMs) });
  const ask = (id: string) =>
    send(server.url, {
      body: { query: '{ campaigns(first: 2) { nodes { title } } }' },
      headers: { 'x-request-id': id },
    });
  await ask('quick');
  let slow: Promise<unknown> = Promise.resolve();
  await sql.begin(async (own) => {
    await own`lock table campaigns in access exclusive mode`;
    slow = ask('slow');
    // Within a transaction pg_stat_activity stays as it was at first; pg_locks does not.
    const waits = 'select from pg_locks where not granted and relation = $1::regclass';
    await until('its statement waits', async () => (await own.unsafe(waits, ['campaigns'])).length > 0);
    await sleep(2 * slowMs);
  });
  await slow;
  await until('the line', async () => server.output().includes('"requestId":"slow"'));
  // The first request of a process may be slow, too.
  const levels = [...server.output().matchAll(/^\{"level":(\d+)/gm)].map(([, level]) => level);
  t.same([...new Set(levels)], ['40']);
  t.match(server.output(), /"requestId":"slow".*"slow request"/);
});

t.test('in development it is for people', async (t) => {
  const { post, said } = await start(t, { NODE_ENV: 'development', INSPECT: 'off', GRAPHIQL: 'false' });
  await post({ query: '{ brands(first: 1) { totalCount } }' });
  await until('the line', async () => said.some((line) => line.includes('operation')));
  t.notOk(said.some((line) => line.startsWith('{"level"')));
});
