import { type Test, t } from 'tap';
import { globalId, makeData } from '../support/data.ts';
import { startServer } from '../support/server.ts';
import { ask, createEnvironment, type Pagination, paginate, readFragment } from './client.ts';
import { compileClient } from './compile.ts';

const client = compileClient(t);

interface EventNode {
  readonly id: string;
  readonly title: string;
  readonly startsAt: string;
}

/** A campaign of 23 events; every third one starts at the same time as the two before it. */
const CAMPAIGN = globalId('Campaign', 3);
const SIZE = { brands: 2, campaigns: 5, events: 40, perCampaign: 23 };

/** Starts a server with campaigns, an app on it, and asks Postgres what the app should show. */
async function setUp(t: Test) {
  const { url, sql } = await startServer(t);
  await makeData(sql, SIZE);
  const rows = await sql<{ id: string }[]>`
    select event_id::text as id from campaign_events where campaign_id = 3 order by starts_at, event_id`;
  return { url, environment: createEnvironment(url), expected: rows.map(({ id }) => globalId('Event', id)) };
}

/** Opens the page of a campaign. */
async function openEvents(environment: ReturnType<typeof createEnvironment>, variables: object) {
  const query = client.query('CampaignEventsQuery');
  const { node } = await ask<{ node: { campaign: unknown } }>(environment, query, { id: CAMPAIGN, ...variables });
  return paginate<EventNode>(environment, client.fragment('CampaignEvents_campaign'), node.campaign);
}

function ids({ connection }: Pagination<{ id: string }>): string[] {
  return connection().edges.map(({ node }) => node.id);
}

/** Loads until nothing is left and tells how many loads that took. */
async function loadAll(list: Pagination<{ id: string }>, direction: 'next' | 'previous', count: number) {
  let loads = 0;
  while (direction === 'next' ? list.hasNext() : list.hasPrevious()) {
    if (loads === 100) throw new Error(`There is no end of ${direction} pages: ${ids(list).length} edges.`);
    await (direction === 'next' ? list.loadNext(count) : list.loadPrevious(count));
    loads += 1;
  }
  return loads;
}

t.test('loadNext goes through campaign.events to the end, each event once and in order', async (t) => {
  const { environment, expected } = await setUp(t);
  const events = await openEvents(environment, { first: 5 });
  t.strictSame(ids(events), expected.slice(0, 5));
  t.notOk(events.hasPrevious());
  t.equal(await loadAll(events, 'next', 5), 4, '23 events are 5 pages of 5');
  t.strictSame(ids(events), expected);
  t.notOk(events.hasPrevious());
  t.match(events.connection().edges[3]?.node, { title: /^Event \d+$/, startsAt: '2026-01-01T00:00:00.000001Z' });
});

t.test('loadPrevious goes through campaign.events from the end to the start', async (t) => {
  const { environment, expected } = await setUp(t);
  const events = await openEvents(environment, { last: 4 });
  t.strictSame(ids(events), expected.slice(-4));
  t.notOk(events.hasNext());
  t.equal(await loadAll(events, 'previous', 4), 5, '23 events are 6 pages of 4');
  t.strictSame(ids(events), expected);
  t.notOk(events.hasNext());
});

t.test('a connection that is opened in the middle grows at both ends', async (t) => {
  const { url, environment, expected } = await setUp(t);
  const whole = await openEvents(environment, { first: 10 });
  const after = whole.connection().edges[9]?.cursor;
  const events = await openEvents(createEnvironment(url), { first: 3, after });
  t.strictSame(ids(events), expected.slice(10, 13));
  t.ok(events.hasPrevious() && events.hasNext(), 'and there is more on both sides');
  await events.loadPrevious(4);
  t.strictSame(ids(events), expected.slice(6, 13));
  await events.loadNext(4);
  t.strictSame(ids(events), expected.slice(6, 17));
  await loadAll(events, 'previous', 4);
  await loadAll(events, 'next', 4);
  t.strictSame(ids(events), expected);
});

t.test('each order is a connection of its own in the store', async (t) => {
  const { environment, expected } = await setUp(t);
  const byTime = await openEvents(environment, { first: 5 });
  const orderBy = { field: 'ID', direction: 'DESC' };
  const newest = await openEvents(environment, { first: 5, orderBy });
  await loadAll(newest, 'next', 7);
  const idOf = (node: string) => Number(Buffer.from(node, 'base64').toString().split(':')[1]);
  t.strictSame(
    ids(newest),
    expected.toSorted((a, b) => idOf(b) - idOf(a)),
  );
  t.strictSame(ids(byTime), expected.slice(0, 5), 'the other one did not change');
});

t.test('the nested list: campaigns in pages, and the events of one of them in pages', async (t) => {
  const { environment, expected } = await setUp(t);
  const data = await ask(environment, client.query('CampaignListQuery'), {});
  const campaigns = paginate<{ id: string }>(environment, client.fragment('CampaignList_query'), data);
  t.equal(await loadAll(campaigns, 'next', 2), 2, '5 campaigns are 3 pages of 2');
  t.strictSame(
    ids(campaigns),
    [1, 2, 3, 4, 5].map((id) => globalId('Campaign', id)),
  );
  const headers = campaigns
    .connection()
    .edges.map(({ node }) => readFragment(environment, client.fragment('CampaignHeader_campaign'), node));
  t.match(headers[4], { title: 'Campaign 5', brand: { name: 'Brand 2' } });

  const [, , third] = campaigns.connection().edges;
  const events = paginate<EventNode>(environment, client.fragment('CampaignEvents_campaign'), third?.node);
  t.strictSame(ids(events), expected.slice(0, 3), 'the list brought a first page of each');
  await loadAll(events, 'next', 20);
  t.strictSame(ids(events), expected);
});

t.test('a @refetchable fragment reads its entity through node(id)', async (t) => {
  const { environment } = await setUp(t);
  const refetch = client.query('CampaignHeaderRefetchQuery');
  const data = await ask<{ node: object }>(environment, refetch, { id: CAMPAIGN });
  t.match(readFragment(environment, client.fragment('CampaignHeader_campaign'), data.node), {
    id: CAMPAIGN,
    title: 'Campaign 3',
    brand: { name: 'Brand 2' },
  });
  for (const id of [globalId('Campaign', 6), globalId('Campaign', -1), globalId('Nothing', 1), 'nonsense', '']) {
    t.strictSame(await ask(environment, refetch, { id }), { node: null }, `${id} names no node`);
  }
});
