import { t } from 'tap';
import { globalId, loadRealData } from '../support/data.ts';
import { counted, LASTING, openServer, openSql } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';

interface Page<Node> {
  nodes: Node[];
  totalCount: number;
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
}

interface Event {
  id: string;
  title: string;
  body: string;
  startsAt: string;
}

const PAGE = 'totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }';

const database = await freshDatabase(t);
const redis = await freshRedis(t);
const sql = openSql(t, database);
t.comment((await loadRealData(sql, database.url)) ? 'the real data set' : 'a made data set');
const stores = { database, redis };
const server = await openServer(t, { ...stores, env: LASTING });

/** The largest campaign. */
const [largest] = await sql<[{ id: string; size: number }]>`
  select campaign_id::text as id, count(*)::int as size from campaign_events group by 1 order by 2 desc, 1 limit 1`;

/** Where two lists part, as text; comparing thousands of objects with all their differences takes longer than all else. */
function firstDifference(got: readonly unknown[], expected: readonly unknown[]): string | null {
  for (let i = 0; i < Math.max(got.length, expected.length); i += 1) {
    const [a, b] = [JSON.stringify(got[i]), JSON.stringify(expected[i])];
    if (a !== b) return `at ${i} expected ${b}, got ${a}`;
  }
  return null;
}

t.test('the statement table', async (t) => {
  const twice = async (document: string) => {
    const first = await counted(stores, () => server.query(document));
    return { first, warm: await counted(stores, () => server.query(document)) };
  };
  const sizes = [
    [5, 2],
    [50, 10],
    [100, 100],
  ] as const;
  for (const [campaigns, events] of sizes) {
    const document = `{ campaigns(first: ${campaigns}) { nodes { title brand { name } events(first: ${events}) { nodes { title } } } } }`;
    const { first, warm } = await twice(document);
    t.ok(first.sql <= 5, `${campaigns} campaigns with ${events} events: at most 5 statements, got ${first.sql}`);
    t.ok(first.mget <= 3, `and 3 MGET, got ${first.mget}`);
    t.equal(warm.sql, 2, 'warm: two');
    t.same(warm.answer.data, first.answer.data);
  }
  for (const [brands, campaigns, events] of [
    [2, 3, 4],
    [11, 50, 100],
  ]) {
    const document = `{ brands(first: ${brands}) { nodes { name campaigns(first: ${campaigns}) { nodes {
      title events(first: ${events}) { nodes { title } ${PAGE} } } ${PAGE} } } } }`;
    const { first, warm } = await twice(document);
    t.ok(first.sql <= 6, `three levels, ${brands} x ${campaigns} x ${events}: at most 6 statements, got ${first.sql}`);
    t.equal(warm.sql, 3, 'warm: three');
    t.same(warm.answer.data, first.answer.data);
  }
});

t.test('a walk through the largest campaign', async (t) => {
  for (const direction of ['ASC', 'DESC'] as const) {
    const rows = await sql<Event[]>`
      select e.id, title, body, to_json(e.starts_at)#>>'{}' as "startsAt"
      from campaign_events l join events e on e.id = l.event_id where campaign_id = ${largest.id}
      order by l.starts_at ${sql.unsafe(direction)}, l.event_id ${sql.unsafe(direction)}`;
    const expected = rows.map((row) => ({
      ...row,
      id: globalId('Event', row.id),
      startsAt: row.startsAt.replace('+00:00', 'Z'),
    }));
    for (const backward of [false, true]) {
      const walk = async () => {
        const met: Event[] = [];
        const totals = new Set<number>();
        let cursor: string | null = null;
        for (let walking = true; walking; ) {
          const data: { campaign: { events: Page<Event> } } = await server.ask(
            `query ($cursor: String) { campaign(id: "${globalId('Campaign', largest.id)}") {
              events(${backward ? 'last: 100, before' : 'first: 100, after'}: $cursor,
                orderBy: { field: STARTS_AT, direction: ${direction} }) { nodes { id title body startsAt } ${PAGE} }
            } }`,
            { cursor },
          );
          const { nodes, pageInfo, totalCount } = data.campaign.events;
          totals.add(totalCount);
          if (backward) met.unshift(...nodes);
          else met.push(...nodes);
          cursor = backward ? pageInfo.startCursor : pageInfo.endCursor;
          walking = backward ? pageInfo.hasPreviousPage : pageInfo.hasNextPage;
        }
        return { met, totals };
      };
      const { answer, sql: statements } = await counted(stores, walk);
      const name = `${direction}, ${backward ? 'backward' : 'forward'}`;
      t.equal(firstDifference(answer.met, expected), null, `${name}: ${largest.size} events, all in order`);
      t.same([...answer.totals], [largest.size], 'counted right on each page');
      const pages = Math.ceil(largest.size / 100);
      t.ok(statements <= 3 * pages, `at most a list and two reads of bodies a page, got ${statements} for ${pages}`);
    }
  }
});

t.test('a walk through all campaigns of the largest brand', async (t) => {
  const [brand] = await sql<[{ id: string }]>`
    select brand_id::text as id from campaigns group by 1 order by count(*) desc limit 1`;
  const rows = await sql<{ id: string; title: string; body: string }[]>`
    select id::text, title, body from campaigns where brand_id = ${brand.id} order by campaigns.id`;
  const met: object[] = [];
  let cursor: string | null = null;
  for (let walking = true; walking; ) {
    const data: { brand: { campaigns: Page<object> } } = await server.ask(
      `query ($cursor: String) { brand(id: "${globalId('Brand', brand.id)}") {
        campaigns(first: 100, after: $cursor) { nodes { id title body } ${PAGE} } } }`,
      { cursor },
    );
    met.push(...data.brand.campaigns.nodes);
    cursor = data.brand.campaigns.pageInfo.endCursor;
    walking = data.brand.campaigns.pageInfo.hasNextPage;
  }
  const expected = rows.map((row) => ({ ...row, id: globalId('Campaign', row.id) }));
  t.equal(firstDifference(met, expected), null, `${rows.length} campaigns, all in order`);
});

t.test('the other ways in', async (t) => {
  const [row] = await sql<[{ event: string; campaigns: string[]; later: number; total: number }]>`
    select event_id::text as event, array_agg(campaign_id::text order by campaign_id)::text[] as campaigns,
      (select count(*)::int from events where starts_at > '1950-01-01 00:00:00+00') as later,
      (select count(*)::int from events) as total
    from campaign_events group by event_id order by count(*) desc, event_id limit 1`;
  const campaigns = String(row.campaigns).replace(/[{}]/g, '').split(',');
  const id = globalId('Event', row.event);
  const data = await server.ask<Record<string, { id: string; campaigns: Page<{ id: string }>; totalCount: number }>>(`{
    event(id: "${id}") { id campaigns(first: 100) { nodes { id events(first: 1) { totalCount } } ${PAGE} } }
    node(id: "${id}") { id ... on Event { campaigns(last: 1) { nodes { id } } } }
    late: events(first: 1, startsAfter: "1950-01-01T00:00:00Z") { totalCount nodes { startsAt } }
    all: events(last: 3, orderBy: { field: STARTS_AT }) { totalCount nodes { startsAt } pageInfo { hasPreviousPage } }
    one: events(campaign: "${globalId('Campaign', largest.id)}", first: 2) { totalCount nodes { title } }
  }`);
  t.same(
    data.event?.campaigns.nodes.map((campaign) => campaign.id),
    campaigns.map((campaign) => globalId('Campaign', campaign)),
  );
  t.same(data.node?.campaigns.nodes, [{ id: globalId('Campaign', campaigns.at(-1) ?? '') }]);
  t.equal(data.late?.totalCount, row.later);
  t.match(data.all, { totalCount: row.total, pageInfo: { hasPreviousPage: true } });
  t.equal(data.one?.totalCount, largest.size);
});
