import { t } from 'tap';
import { readConfig } from '../../../src/app/config.ts';
import { globalId, makeData } from '../../support/data.ts';
import {
  type Answer,
  type Counted,
  counted,
  LASTING,
  openRedis,
  openServer,
  openSql,
  type TestServer,
} from '../../support/server.ts';
import { freshDatabase, freshRedis } from '../../support/services.ts';

interface Counts {
  hits: number;
  misses: number;
  negative: number;
  stale: number;
  memoryHits: number;
}

interface DataFetching {
  sql: { statements: number; rows: number; ms: number };
  redis: { commands: number; ms: number };
  cache: Record<string, Counts>;
  cost: number;
}

const INSPECT = { 'x-inspect': '1' };

const database = await freshDatabase(t);
const redis = await freshRedis(t);
const sql = openSql(t, database);
const keys = openRedis(t, redis);
await makeData(sql, { brands: 4, campaigns: 40, events: 200, perCampaign: 20 });

let running: TestServer | null = null;

/** A server that holds nothing in memory, in the place of the one before. */
async function server(env: Record<string, string> = {}): Promise<TestServer> {
  await running?.close();
  running = await openServer(t, { database, redis, env: { ...LASTING, ...env } });
  return running;
}

async function forget(pattern: RegExp): Promise<void> {
  const gone = (await keys.keys('*')).filter((key) => /^[A-Z]/.test(key) && pattern.test(key));
  if (gone.length > 0) await keys.unlink(gone);
}

const fetching = (answer: Answer<unknown>) => answer.extensions?.dataFetching as DataFetching;

const NESTED = `{
  campaigns(first: 30) { nodes { title brand { name } events(first: 10) { nodes { title } totalCount } } }
}`;

t.test('its counts are those of Postgres and Redis', async (t) => {
  const ask = (server: TestServer, document = NESTED) =>
    counted({ database, redis }, () => server.query(document, undefined, INSPECT));
  const agree = ({ answer, ...seen }: Counted & { answer: Answer<unknown> }, name: string) => {
    const { sql, redis } = fetching(answer);
    t.equal(answer.errors, undefined);
    t.equal(sql.statements, seen.sql, `${name}: statements`);
    t.equal(sql.rows, seen.rows, `${name}: rows`);
    t.equal(redis.commands, seen.commands, `${name}: commands, those inside of scripts included`);
    return fetching(answer);
  };
  const [row] = await sql<[{ events: number }]>`
    select count(distinct event_id)::int as events from (
      select event_id, row_number() over (partition by campaign_id order by starts_at, event_id) as rank
      from campaign_events where campaign_id <= 30) ranked where rank <= 10`;

  await forget(/./);
  const first = await server();
  const [cold, memory] = [await ask(first), await ask(first)];
  const warm = await ask(await server());
  await forget(/^(Campaign-1\d|Event-\d*[02468]|Brand-2)$/);
  const measured = { cold, memory, warm, half: await ask(await server()) };
  const none = { hits: 0, negative: 0, stale: 0, memoryHits: 0 };
  t.match(agree(measured.cold, 'cold'), {
    sql: { statements: 5 },
    cache: {
      Campaign: { ...none, misses: 30 },
      Event: { ...none, misses: row.events },
      Brand: { ...none, misses: 4 },
    },
  });
  t.match(agree(measured.memory, 'warm in memory'), {
    sql: { statements: 2 },
    cache: { Campaign: { hits: 30, misses: 0, memoryHits: 30 }, Event: { hits: row.events, memoryHits: row.events } },
  });
  t.match(agree(measured.warm, 'warm in Redis'), {
    sql: { statements: 2 },
    redis: { commands: 3 },
    cache: {
      Campaign: { hits: 30, misses: 0, memoryHits: 0 },
      Event: { hits: row.events, misses: 0, memoryHits: 0 },
      Brand: { hits: 4, misses: 0, memoryHits: 0 },
    },
  });
  const half = agree(measured.half, 'half warm');
  t.match(half, {
    sql: { statements: 5 },
    cache: { Campaign: { hits: 20, misses: 10 }, Brand: { hits: 3, misses: 1 } },
  });
  t.equal((half.cache.Event?.hits ?? 0) + (half.cache.Event?.misses ?? 0), row.events);
  t.ok((half.cache.Event?.misses ?? 0) > 0);

  await t.test('also of what is not there', async (t) => {
    const document = `{ nodes(ids: ["${globalId('Event', 5000)}", "${globalId('Event', 1)}", "nonsense"]) { id } }`;
    await forget(/^Event-/);
    const cold = await ask(await server(), document);
    const warm = await ask(await server(), document);
    t.match(agree(cold, 'cold').cache.Event, { misses: 2, hits: 0, negative: 0 });
    t.match(agree(warm, 'warm').cache.Event, { misses: 0, hits: 1, negative: 1 });
  });

  await t.test('also of what is stale', async (t) => {
    const document = '{ campaigns(first: 5) { nodes { title } } }';
    await forget(/^Campaign-/);
    await (await server()).ask(document);
    const old = (await keys.get('Campaign-3')) ?? '';
    await sql`update campaigns set title = title || '.' where id = 3`;
    const fresh = await server();
    await database.drained();
    await keys.set('Campaign-3', old);
    const stale = await ask(fresh, document);
    t.match(agree(stale, 'stale'), {
      sql: { statements: 2 },
      cache: { Campaign: { hits: 4, misses: 1, stale: 1 } },
    });
  });

  await t.test('also of requests that run at once', async (t) => {
    const documents = Array.from({ length: 10 }, (_, i) => NESTED.replace('first: 30', `first: ${i + 10}`));
    await forget(/^(Campaign|Event|Brand)-/);
    const busy = await server();
    const { answer: answers, ...seen } = await counted({ database, redis }, () =>
      Promise.all(documents.map((document) => busy.query(document, undefined, INSPECT))),
    );
    const sum = (pick: (seen: DataFetching) => number) =>
      answers.map((answer) => pick(fetching(answer))).reduce((a, b) => a + b, 0);
    t.equal(
      sum(({ sql }) => sql.statements),
      seen.sql,
      'all statements are somebody’s',
    );
    t.equal(
      sum(({ sql }) => sql.rows),
      seen.rows,
      'and all rows',
    );
    t.equal(
      sum(({ redis }) => redis.commands),
      seen.commands,
      'and all commands',
    );
  });

  await t.test('also without Redis', async (t) => {
    const alone = await openServer(t, { database, redis: null, env: LASTING });
    for (const statements of [5, 2]) {
      const { answer, sql } = await counted({ database, redis: null }, () => alone.query(NESTED, undefined, INSPECT));
      t.match(fetching(answer), { sql: { statements }, redis: { commands: 0, ms: 0 } });
      t.equal(sql, statements);
    }
  });
});

t.test('its shape', async (t) => {
  const answer = await (await server()).query(NESTED, undefined, INSPECT);
  const seen = fetching(answer);
  t.same(Object.keys(seen).toSorted(), ['cache', 'cost', 'events', 'redis', 'sql', 'totalMs']);
  t.same(Object.keys(seen.sql).toSorted(), ['ms', 'rows', 'statements']);
  t.same(Object.keys(seen.redis).toSorted(), ['commands', 'ms']);
  t.same(Object.keys(seen.cache).toSorted(), ['Brand', 'Campaign', 'Event']);
  for (const counts of Object.values(seen.cache)) {
    for (const name of ['hits', 'misses', 'negative', 'stale', 'memoryHits'] as const) {
      t.ok(Number.isInteger(counts[name]), name);
    }
  }
  t.ok(seen.sql.ms > 0 && seen.redis.ms > 0, 'times');
  t.ok(Number.isInteger(seen.cost) && seen.cost > 0, 'a cost');
});

t.test('it is there although a field failed', async (t) => {
  const answer = await (await server()).query<{ campaigns: object; bad: null }>(
    '{ campaigns(first: 1) { nodes { title } } bad: events(first: 101) { totalCount } }',
    undefined,
    INSPECT,
  );
  t.match(answer, { data: { bad: null }, errors: [{ path: ['bad'] }] });
  t.equal(fetching(answer)?.sql.statements, 1);
});

t.test('who sees it', async (t) => {
  const document = '{ campaigns(first: 1) { nodes { title } } }';
  const sees = async (server: TestServer, headers = {}) => {
    const { data, extensions } = await server.query(document, undefined, headers);
    t.not(data, null);
    return extensions?.dataFetching !== undefined;
  };
  const header = await server({ INSPECT: 'header' });
  t.equal(await sees(header), false, 'header: not who does not ask');
  t.equal(await sees(header, INSPECT), true, 'header: who asks');
  for (const value of ['0', '', 'true', '11'])
    t.equal(await sees(header, { 'x-inspect': value }), false, `not by ${value}`);
  const off = await server({ INSPECT: 'off' });
  t.equal(await sees(off, INSPECT), false, 'off: nobody');
  const always = await server({ INSPECT: 'always' });
  t.equal(await sees(always), true, 'always: everybody');

  const config = (env: Record<string, string>) => readConfig({ DATABASE_URL: database.url, ...env }).inspect;
  t.equal(config({ NODE_ENV: 'production' }), 'off', 'in production nobody, unless it is switched on');
  t.equal(config({ NODE_ENV: 'production', INSPECT: 'header' }), 'header');
  t.equal(config({ NODE_ENV: 'development' }), 'header');
  t.equal(config({}), 'header');
  const production = await server({ INSPECT: '' });
  t.equal(await sees(production, INSPECT), false, 'so a server in production shows nothing');
});
