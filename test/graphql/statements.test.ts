import { type Test, t } from 'tap';
import { LEASE_MARK } from '../../src/cache/entry.ts';
import { LEASE_MS } from '../../src/cache/redis/lease.ts';
import { analyze, globalId, makeData } from '../support/data.ts';
import { type Counted, counted, LASTING, openRedis, openServer, openSql, type TestServer } from '../support/server.ts';
import { type CountedStatement, freshDatabase, freshRedis } from '../support/services.ts';
import { standingClock } from '../support/standing-clock.ts';
import { until } from '../support/until.ts';

interface Titled {
  title: string;
}

interface Campaigns {
  campaigns: { nodes: (Titled & { brand?: { name: string }; events: { nodes: Titled[] } })[] };
}

const NESTED = `query ($campaigns: Int!, $events: Int!) {
  campaigns(first: $campaigns) { nodes { title events(first: $events) { nodes { title } } } }
}`;
const WITH_BRAND = NESTED.replace('title events', 'title brand { name } events');

/** Every tenth campaign has no event. */
const eventful = (campaigns: number) => campaigns - Math.floor(campaigns / 10);

const database = await freshDatabase(t);
const redis = await freshRedis(t);
const sql = openSql(t, database);
const keys = openRedis(t, redis);
const stores = { database, redis };
await makeData(sql, { brands: 12, campaigns: 120, events: 3000, perCampaign: 110 });

/** How many rows the reads of bodies answered. Postgres counts those of two tables as one statement. */
function bodyRows(statements: readonly CountedStatement[]): number {
  return statements
    .filter((statement) => statement.query.includes('any('))
    .reduce((sum, statement) => sum + statement.rows, 0);
}

let running: TestServer | null = null;

/** A server that holds nothing in memory, with Redis as it is. It takes the place of the one before. */
async function server(t: Test): Promise<TestServer> {
  await running?.close();
  // However long the machine takes, memory knows what it has read.
  running = await openServer(t, { database, redis, env: LASTING, clock: standingClock() });
  return running;
}

async function forget(pattern: RegExp): Promise<void> {
  const gone = (await keys.keys('*')).filter((key) => pattern.test(key));
  if (gone.length > 0) await keys.unlink(gone);
}

/** All but the heartbeat, without which reads by id go to Postgres. */
const ALL = /^[A-Z]\w*-\d+$/;
const forgetAll = () => forget(ALL);

async function bodiesInRedis(): Promise<number> {
  const names = (await keys.keys('*')).filter((key) => ALL.test(key));
  const texts = names.length === 0 ? [] : await keys.mget(names);
  return texts.filter((text) => text !== null && !text.startsWith(LEASE_MARK)).length;
}

/** More than a busy machine needs. */
const ATTEMPTS = 10;

/**
 * Asks a server for what Redis has forgotten, which fills it. Where the machine took longer than a lease, that is done again.
 */
async function filling<T extends Counted>(t: Test, forgotten: RegExp, ask: (server: TestServer) => Promise<T>) {
  for (let attempt = 1; ; attempt += 1) {
    await forget(forgotten);
    const before = await bodiesInRedis();
    const asked = await server(t);
    const started = performance.now();
    const counts = await ask(asked);
    const inTime = performance.now() - started < LEASE_MS;
    const isFilled = counts.set === 2 * ((await bodiesInRedis()) - before);
    if (isFilled || inTime || attempt === ATTEMPTS) return { asked, counts };
  }
}

/** The corners, where everything is few or many, and the middle. */
const PAGES = [
  [5, 2],
  [5, 100],
  [50, 10],
  [100, 2],
  [100, 100],
] as const;

t.test('a page of pages costs the same, however large', async (t) => {
  for (const [campaigns, events] of PAGES) {
    await t.test(`${campaigns} campaigns with ${events} events`, async (t) => {
      const ask = (server: TestServer) => counted(stores, () => server.ask<Campaigns>(NESTED, { campaigns, events }));
      const { asked: first, counts: cold } = await filling(t, ALL, ask);
      const warm = await ask(first);
      const elsewhere = await ask(await server(t));
      const { counts: half } = await filling(t, /[02468]$/, ask);
      await forget(/^Event-\d*[13579]$/);
      const eventsGone = await ask(await server(t));

      const { nodes } = cold.answer.campaigns;
      t.equal(nodes.length, campaigns, 'every campaign asked for is there');
      const listed = nodes.reduce((sum, campaign) => sum + campaign.events.nodes.length, 0);
      t.equal(listed, eventful(campaigns) * events, 'and so is every event');
      for (const [name, { answer, mget }] of Object.entries({ cold, warm, elsewhere, half, eventsGone })) {
        t.same(answer, cold.answer, `${name}: the answer`);
        t.ok(mget <= 2, `${name}: at most 2 MGET, got ${mget}`);
      }
      t.equal(cold.sql, 4, 'cold: two lists and two reads of bodies');
      t.same([warm.sql, warm.set], [2, 0], 'warm: two lists and nothing to fill');
      t.same([elsewhere.sql, elsewhere.mget], [2, 2], 'warm in another process: two lists, and an MGET for each kind');
      t.equal(half.sql, 4, 'half warm: two lists and two reads of bodies');
      t.ok(half.rows < cold.rows, 'of the missing bodies alone');
      t.equal(eventsGone.sql, 3, 'where one kind of entity is missing in part: two lists and one read of bodies');
    });
  }
});

t.test('without Redis', async (t) => {
  const alone = await openServer(t, { database, redis: null, env: LASTING });
  for (const [temperature, expected] of [
    ['cold', 4],
    ['warm', 2],
  ] as const) {
    const { sql } = await counted({ database, redis: null }, () => alone.ask(NESTED, { campaigns: 50, events: 10 }));
    t.equal(sql, expected, temperature);
  }
});

t.test('the brand of each campaign', async (t) => {
  for (const campaigns of [5, 50, 100]) {
    const ask = (server: TestServer, document: string) =>
      counted(stores, () => server.ask<Campaigns>(document, { campaigns, events: 2 }));
    const { counts: without } = await filling(t, ALL, (server) => ask(server, NESTED));
    const { counts: brands } = await filling(t, /^Brand-/, (server) => ask(server, WITH_BRAND));
    const warm = await server(t);
    const [elsewhere, here] = [await ask(warm, WITH_BRAND), await ask(warm, WITH_BRAND)];
    await forgetAll();
    const measured = { without, brands, elsewhere, here, cold: await ask(await server(t), WITH_BRAND) };
    const expected = { without: 4, brands: 3, elsewhere: 2, here: 2, cold: 5 };
    for (const [name, { sql, mget }] of Object.entries(measured)) {
      t.equal(sql, expected[name as keyof typeof expected], `${campaigns} campaigns, ${name}`);
      t.ok(mget <= (name === 'without' ? 2 : 3), `at most one MGET more, got ${mget}`);
    }
    t.same(
      measured.brands.answer.campaigns.nodes.map((campaign) => campaign.brand?.name),
      Array.from({ length: campaigns }, (_, i) => `Brand ${1 + ((i + 1) % 12)}`),
      'every campaign has its own brand',
    );
  }
});

t.test('an entity by id', async (t) => {
  const byId = (id: number) => `{ campaign(id: "${globalId('Campaign', id)}") { title } }`;
  const document = byId(7);
  const { asked: first, counts: cold } = await filling(t, /^Campaign-7$/, async (server) => {
    await until('memory answers by id, as it does once the server hears of changes', async () => {
      const { sql, commands } = await counted(stores, () => server.ask(byId(8)));
      return sql + commands === 0;
    });
    return counted(stores, () => server.ask(document));
  });
  const warm = await counted(stores, () => first.ask(document));
  const second = await server(t);
  const elsewhere = await counted(stores, () => second.ask(document));
  t.same([cold.sql, cold.mget, cold.set], [1, 1, 2], 'cold: its body, leased and filled');
  t.same([warm.sql, warm.commands], [0, 0], 'warm: nothing at all');
  t.same([elsewhere.sql, elsewhere.commands], [0, 1], 'warm in another process: an MGET');
});

t.test('three levels', async (t) => {
  const under = (first: number) =>
    `{ nodes { title events(first: ${first}) { nodes { title startsAt } pageInfo { hasNextPage } totalCount } } }`;
  const cases = [
    [1, 1, 1],
    [3, 2, 5],
    [12, 10, 20],
    [12, 100, 100],
  ] as const;
  for (const [brands, campaigns, events] of cases) {
    const sizes = `${brands} x ${campaigns} x ${events}`;
    const all = `{ brands(first: ${brands}) { nodes { name campaigns(first: ${campaigns}) ${under(events)} } } }`;
    const one = `{ brand(id: "${globalId('Brand', 3)}") { name campaigns(first: ${campaigns}) ${under(events)} } }`;
    const { asked: first, counts: cold } = await filling(t, ALL, (server) => counted(stores, () => server.ask(all)));
    const warm = await counted(stores, () => first.ask(all));
    const second = await server(t);
    const elsewhere = await counted(stores, () => second.ask(all));
    await forgetAll();
    const third = await server(t);
    const oneCold = await counted(stores, () => third.ask(one));
    const oneWarm = await counted(stores, () => third.ask(one));
    t.equal(cold.sql, 6, `${sizes}, cold: three lists and three reads of bodies`);
    t.ok(cold.mget <= 3, `at most 3 MGET, got ${cold.mget}`);
    t.equal(warm.sql, 3, 'warm: three lists');
    t.same([elsewhere.sql, elsewhere.mget], [3, 3], 'warm in another process: three lists, and an MGET for each kind');
    t.same(elsewhere.answer, cold.answer, 'with the same answer');
    t.equal(oneCold.sql, 5, 'of one brand, cold: its body more');
    t.equal(oneWarm.sql, 2, 'of one brand, warm: two lists');
  }
});

t.test('siblings', async (t) => {
  interface Page {
    pageInfo: { startCursor: string; endCursor: string };
    nodes: { id: string }[];
  }
  await forgetAll();
  const warm = await server(t);
  const { campaign } = await warm.ask<{ campaign: { events: Page } }>(
    `{ campaign(id: "${globalId('Campaign', 5)}") { events(first: 30) { pageInfo { endCursor } nodes { title } } } }`,
  );
  const cursor = campaign.events.pageInfo.endCursor;
  const ask = (fields: string) => {
    const document = `query ($cursor: String) { only: campaigns(first: 0, after: $cursor) @skip(if: true) { totalCount } campaigns(first: 50) { nodes { ${fields} } } }`;
    return counted(stores, () => warm.ask<{ campaigns: { nodes: unknown[] } }>(document, { cursor }));
  };

  await t.test('with different first and after share one statement', async (t) => {
    const { sql } = await ask(`
      two: events(first: 2) { nodes { title } }
      seven: events(first: 7, after: $cursor) { nodes { title } edges { cursor } }
      none: events(first: 0) { nodes { title } }
      between: events(first: 9, before: $cursor, startsAfter: "2020-01-01T00:00:00Z") { nodes { title } pageInfo { hasNextPage hasPreviousPage } }
      counted: events(startsBefore: "2026-01-01T00:00:00.00005Z") { totalCount }
      backFromEnd: events(last: 5, orderBy: { field: STARTS_AT, direction: DESC }) { nodes { title } }`);
    t.equal(sql, 3, 'the list of campaigns, that of events, and the bodies that were not known');
  });
  await t.test('in another order or direction cost a statement each', async (t) => {
    const document = `
      forward: events(first: 2) { nodes { id } }
      backward: events(last: 2) { nodes { id } }
      byId: events(first: 2, orderBy: { field: ID }) { nodes { id } }
      fromNewest: events(first: 2, orderBy: { field: STARTS_AT, direction: DESC }) { nodes { id } }`;
    t.equal((await ask(document)).sql, 4, 'campaigns, forward, backward (which is from the newest), by id');
  });
  await t.test('in different places of the query are each batched', async (t) => {
    const document = `{
      a: campaigns(first: 20) { nodes { title events(first: 3) { nodes { title } } } }
      b: campaigns(first: 20, after: null) { nodes { title events(first: 4) { nodes { title } } } }
      c: events(first: 10) { nodes { title campaigns(first: 2) { nodes { title } } } }
      d: events(first: 10, campaign: "${globalId('Campaign', 7)}") { nodes { title campaigns(first: 3) { nodes { title } } } }
    }`;
    await warm.ask(document);
    const { sql } = await counted(stores, () => warm.ask(document));
    t.ok(sql <= 6, `at most one for each list in the document, got ${sql}`);
  });
});

t.test('an entity that comes up again is fetched once', async (t) => {
  const [row] = await sql<[{ distinct: number; links: number }]>`
    select count(distinct event_id)::int as distinct, count(*)::int as links
    from (select event_id, row_number() over (partition by campaign_id order by starts_at, event_id) as rank
      from campaign_events where campaign_id <= 50) ranked
    where rank <= 100`;
  t.ok(row.links > 5 * row.distinct, 'campaigns share events');
  const { counts: nested } = await filling(t, ALL, (server) =>
    counted(stores, () => server.ask(NESTED, { campaigns: 50, events: 100 })),
  );
  t.equal(bodyRows(nested.statements), 50 + row.distinct, 'as many rows as there are different entities');
  t.equal(nested.set, 2 * (50 + row.distinct), 'one lease and one value for each body');

  await t.test('also on another level', async (t) => {
    const document = `{
      campaigns(first: 10) { nodes { title events(first: 5) { nodes {
        title campaigns(first: 100) { nodes { title events(first: 5) { nodes { title } } } }
      } } } }
    }`;
    await forgetAll();
    const cold = await server(t);
    const { statements } = await counted(stores, () => cold.ask(document));
    const [distinct] = await sql<[{ campaigns: number; events: number }]>`
      with near as (
        select campaign_id, event_id, row_number() over (partition by campaign_id order by starts_at, event_id) as rank
        from campaign_events),
      first as (select event_id from near where campaign_id <= 10 and rank <= 5),
      wider as (select campaign_id from campaign_events where event_id in (select event_id from first))
      select
        (select count(*) from campaigns where id <= 10 or id in (select campaign_id from wider))::int as campaigns,
        (select count(distinct event_id) from near where rank <= 5
          and (campaign_id <= 10 or campaign_id in (select campaign_id from wider)))::int as events`;
    t.equal(bodyRows(statements), distinct.campaigns + distinct.events, 'as many rows as there are different entities');
  });
});

t.test('what an id or a list answers reads no body', async (t) => {
  const fields = {
    'ids of nodes': 'nodes { id }',
    'ids and type names': 'edges { node { __typename id } } nodes { ... on Node { id } }',
    cursors: 'edges { cursor }',
    pageInfo: 'pageInfo { hasNextPage hasPreviousPage startCursor endCursor }',
    totalCount: 'totalCount',
    'a fragment': '...Ids',
    'what is skipped': 'nodes { id title @skip(if: true) body @include(if: $no) ... @include(if: $no) { startsAt } }',
    'type names alone': '__typename edges { __typename }',
  };
  for (const [name, selected] of Object.entries(fields)) {
    await forgetAll();
    const cold = await server(t);
    const fragment = selected.includes('...Ids') ? 'fragment Ids on EventConnection { edges { node { id } } }' : '';
    const document = `query ($no: Boolean = false) {
      campaigns(first: 50) { nodes { id title @include(if: $no) events(first: 10) { ${selected} } } } } ${fragment}`;
    const { sql, commands } = await counted(stores, () => cold.ask(document, {}));
    t.equal(sql, 2, `${name}: the two lists`);
    t.equal(commands, 0, `${name}: nothing of Redis`);
  }
  await forgetAll();
  const cold = await server(t);
  const ids = await counted(stores, () =>
    cold.ask('{ campaigns(first: 50) { nodes { brand { id campaigns(first: 3) { nodes { id } totalCount } } } } }'),
  );
  t.equal(ids.sql, 3, 'a reference of which only the id and a list are selected: two lists and the campaigns');
  t.same(await keys.keys('Brand-*'), [], 'and no brand');
});

t.test('nothing is asked for nothing', async (t) => {
  await analyze(sql);
  const cold = await server(t);
  const empty = globalId('Campaign', 10);
  const { sql: statements, commands } = await counted(stores, () =>
    cold.ask(`{ events(campaign: "${empty}", first: 10) { nodes { title } totalCount } none: nodes(ids: []) { id } }`),
  );
  t.equal(statements, 1, 'an empty list costs its list statement');
  t.equal(commands, 0, 'and nothing of Redis');
});
