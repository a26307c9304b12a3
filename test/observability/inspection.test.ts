import { type Test, t } from 'tap';
import { globalId, makeData } from '../support/data.ts';
import { writerToken } from '../support/metrics.ts';
import {
  type Answer,
  counted,
  LASTING,
  openRedis,
  type ServerOptions,
  startServer,
  type TestStack,
} from '../support/server.ts';
import type { TestRedis } from '../support/services.ts';

interface Event {
  kind: string;
  name: string;
  startMs: number;
  ms: number;
  rows?: number;
  keys?: number;
  commands?: number;
  sql?: string;
  parameters?: unknown[];
}

interface DataFetching {
  sql: { statements: number; rows: number; ms: number };
  redis: { commands: number; ms: number };
  cache: Record<string, Record<string, number> & { bypassedBecause?: Record<string, number> }>;
  cost: number;
  totalMs: number;
  events: Event[];
}

const NESTED = '{ campaigns(first: 5) { nodes { title events(first: 2) { nodes { title } } } } }';
const INSPECT = { 'x-inspect': '1' };
const COLD = { ...INSPECT, 'x-cache': 'bypass' };
const DEVELOPMENT = { NODE_ENV: 'development', GRAPHIQL: 'true' };

async function start(t: Test, options: ServerOptions = {}): Promise<TestStack<TestRedis>> {
  const server = await startServer(t, { ...options, env: { ...LASTING, ...options.env } });
  await makeData(server.sql, { brands: 2, campaigns: 10, events: 30, perCampaign: 5 });
  await server.database.drained();
  return server;
}

async function inspect(server: TestStack<TestRedis>, document = NESTED, headers = INSPECT) {
  const answer = await server.query(document, undefined, headers);
  t.equal(answer.errors, undefined);
  return fetching(answer);
}

const fetching = (answer: Answer<unknown>) => answer.extensions?.dataFetching as DataFetching;

const names = (events: readonly Event[]) => events.map(({ name }) => name);

t.test('every exchange is shown, in order of time', async (t) => {
  const server = await start(t);
  const cold = await inspect(server);
  t.same(names(cold.events), [
    ...['Campaign.all', 'MGET', 'larderLease', 'Campaign.byIds', 'larderFill'],
    ...['Event.ofCampaign', 'MGET', 'larderLease', 'Event.byIds', 'larderFill'],
  ]);
  const sql = cold.events.filter(({ kind }) => kind === 'sql');
  const redis = cold.events.filter(({ kind }) => kind === 'redis');
  const sum = (events: readonly Event[], field: 'rows' | 'commands') =>
    events.reduce((total, event) => total + (event[field] ?? 0), 0);
  t.equal(sql.length, cold.sql.statements);
  t.equal(sum(sql, 'rows'), cold.sql.rows);
  t.equal(sum(redis, 'commands'), cold.redis.commands);
  t.equal(redis[0]?.keys, 5, 'the heartbeat that comes with each MGET is nobody‘s key');
  for (const event of cold.events) {
    t.ok(event.startMs >= 0 && event.startMs + event.ms <= cold.totalMs, `${event.name} lies within the request`);
  }
  t.match(sql[0]?.sql, /^\s*select /);
  t.notOk(
    sql.some((event) => 'parameters' in event),
    'in production, people‘s data is left out',
  );
  t.match(cold.cache.Campaign, { hits: 0, misses: 5, fills: 5, bypassed: 0, leased: 0 });

  const warm = await inspect(server);
  t.same(names(warm.events), ['Campaign.all', 'Event.ofCampaign']);
  t.match(warm.cache.Campaign, { hits: 5, misses: 0, memoryHits: 5 });
});

t.test('a mutation shows its transaction', async (t) => {
  const secret = 'a secret that is long enough for a key';
  const token = writerToken(secret);
  const server = await start(t, { env: { JWT_SECRET: secret } });
  const document = `mutation { updateBrand(input: { id: "${globalId('Brand', 1)}", name: "New" }) { brand { name } } }`;
  const answer = await server.query(document, undefined, { ...INSPECT, authorization: `Bearer ${token}` });
  t.equal(answer.errors, undefined);
  const expected = ['begin', 'Brand.update', 'CacheOutbox.settle', 'CacheOutbox.own', 'commit'];
  t.same(names(fetching(answer).events), expected);
});

t.test('a cold run reads past the caches, and leaves them as they are', async (t) => {
  const server = await start(t);
  const keys = openRedis(t, server.redis);
  const before = await inspect(server, NESTED, COLD);
  t.same(names(before.events), ['Campaign.all', 'Campaign.byIds', 'Event.ofCampaign', 'Event.byIds']);
  t.match(before.cache.Campaign, { hits: 0, misses: 5, bypassed: 5, fills: 0, bypassedBecause: { cold: 5 } });
  t.same(await keys.keys('Campaign-*'), [], 'it fills nothing');

  await inspect(server);
  const { commands, answer: cold } = await counted(server, () => inspect(server, NESTED, COLD));
  t.equal(commands, 0, 'it tells Redis nothing');
  t.match(cold.cache.Event, { hits: 0, bypassed: cold.cache.Event?.misses });
  const warm = await inspect(server);
  t.match(warm.cache.Campaign, { hits: 5, misses: 0 }, 'it evicts nothing');

  const unasked = await server.query(NESTED, undefined, { 'x-cache': 'bypass' });
  t.equal(unasked.errors, undefined);
  const { sql } = await counted(server, () => server.query(NESTED, undefined, { 'x-cache': 'bypass' }));
  t.equal(sql, 2, 'who does not inspect, does not bypass');
});

t.test('reads past a Redis that does not answer say so', async (t) => {
  const server = await start(t, { env: { MEMORY_MAX_ENTRIES: '0' } });
  await server.redis.stop();
  const { cache, events } = await inspect(server);
  t.match(cache.Campaign, { misses: 5, bypassed: 5, bypassedBecause: { unreachable: 5, cold: 0, unvouched: 0 } });
  t.ok(events.every(({ kind, commands }) => kind === 'sql' || commands === 0));
});

t.test('the gate', async (t) => {
  const header = await start(t);
  const always = await startServer(t, { redis: null, env: { INSPECT: 'always' } });
  const off = await startServer(t, { redis: null, env: { INSPECT: 'off' } });
  for (const [server, headers, shown] of [
    [header, {}, false],
    [header, { 'x-inspect': '0' }, false],
    [header, INSPECT, true],
    [always, {}, true],
    [off, INSPECT, false],
  ] as const) {
    const answer = await server.query('{ campaigns(first: 1) { nodes { title } } }', undefined, headers);
    t.equal(answer.errors, undefined);
    t.equal(answer.extensions !== undefined, shown);
    const timing = answer.headers.get('server-timing');
    if (shown) t.match(timing, /^sql;dur=\d+\.\d{3}, redis;dur=\d+\.\d{3}, total;dur=\d+\.\d{3}$/);
    else t.equal(timing, null);
  }
});

t.test('EXPLAIN', async (t) => {
  const explain = async (url: string, body: unknown, headers: Record<string, string> = INSPECT) => {
    const response = await fetch(`${url}/graphiql/explain`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as { lines?: string[] } };
  };

  t.test('shows the plan of what an inspected request ran, and runs nothing', async (t) => {
    const server = await start(t, { env: DEVELOPMENT });
    const { events } = await inspect(server);
    for (const { kind, name, sql, parameters } of events) {
      if (kind !== 'sql') continue;
      t.ok(parameters, `${name} has its parameters`);
      const { status, body } = await explain(server.url, { sql, parameters });
      t.equal(status, 200, name);
      t.match(body.lines?.join('\n'), /cost=/);
      t.notMatch(body.lines?.join('\n'), /actual time/);
    }
    const { sql = '', parameters = [] } = events[0] ?? {};
    const refused: [unknown, Record<string, string>, number][] = [
      [{ sql, parameters }, {}, 403],
      [{ sql: 'select 1', parameters: [] }, INSPECT, 404],
      [{ sql: `${sql};`, parameters }, INSPECT, 404],
      [{ sql, parameters: parameters.slice(1) }, INSPECT, 400],
      [{ sql, parameters: parameters.map(() => 'x') }, INSPECT, 400],
      [{ sql, parameters: parameters.map(() => ({})) }, INSPECT, 400],
      [{ sql }, INSPECT, 400],
      ['x', INSPECT, 400],
    ];
    for (const [body, headers, status] of refused) {
      t.equal((await explain(server.url, body, headers)).status, status, JSON.stringify(body).slice(-60));
    }
  });

  t.test('is for development alone', async (t) => {
    const production = await start(t, { env: { GRAPHIQL: 'true' } });
    const { events } = await inspect(production);
    const shown = { sql: events[0]?.sql, parameters: [] };
    t.equal((await explain(production.url, shown)).status, 404);
    const off = await startServer(t, { redis: null, env: { ...DEVELOPMENT, INSPECT: 'off' } });
    t.equal((await explain(off.url, shown)).status, 404);
  });
});
