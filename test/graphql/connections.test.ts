import { t } from 'tap';
import { globalId, makeData } from '../support/data.ts';
import { counted, startServer } from '../support/server.ts';

interface Page {
  nodes: { id: string; title: string }[];
  edges: { cursor: string; node: { id: string; title: string } }[];
  pageInfo: { startCursor: string; endCursor: string; hasNextPage: boolean };
  totalCount: number;
}

const server = await startServer(t);
await makeData(server.sql, { brands: 3, campaigns: 125, events: 300, perCampaign: 120 });
const campaign = globalId('Campaign', 1);

t.test('how much a page holds', async (t) => {
  const sizeOf = async (args: string) => {
    const [campaigns, nested] = [`campaigns${args}`, `campaign(id: "${campaign}") { events${args} { nodes { id } } }`];
    const data = await server.ask<{ campaigns: Page; campaign: { events: Page } }>(
      `{ ${campaigns} { nodes { id } } ${nested} }`,
    );
    t.equal(data.campaigns.nodes.length, data.campaign.events.nodes.length, `${args}: the same on both levels`);
    return data.campaigns.nodes.length;
  };
  t.equal(await sizeOf(''), 20, 'twenty unless it is said');
  t.equal(await sizeOf('(first: null, last: null, after: null, before: null)'), 20);
  t.equal(await sizeOf('(first: null, last: 7)'), 7);
  t.equal(await sizeOf('(first: 7, last: null)'), 7);
  t.equal(await sizeOf('(first: 100)'), 100, 'a hundred at most');
  t.equal(await sizeOf('(last: 100)'), 100);
  t.equal(await sizeOf('(first: 0)'), 0);
  t.equal(await sizeOf('(last: 0)'), 0);

  const refused = [
    'first: 101',
    'last: 101',
    'first: -1',
    'last: -1',
    'first: 1000',
    'first: 1, last: 1',
    'first: 0, last: 0',
  ];
  const fields = refused.flatMap((args, i) => [
    `a${i}: campaigns(${args}) { totalCount }`,
    `b${i}: events(campaign: "${campaign}", ${args}) { nodes { title } }`,
  ]);
  const { answer, sql } = await counted(server, () => server.query(`{ ${fields.join(' ')} }`));
  t.same(new Set(Object.values(answer.data as object)), new Set([null]));
  t.equal(answer.errors?.length, 2 * refused.length, 'all else is an error');
  t.ok(
    answer.errors?.every(
      ({ extensions }) => extensions?.code === 'BAD_USER_INPUT' && extensions.argument !== undefined,
    ),
  );
  t.equal(sql, 0, 'before any statement');
});

t.test('a campaign’s events are the same list either way', async (t) => {
  const selection =
    'totalCount pageInfo { startCursor endCursor } edges { cursor node { id title } } nodes { id title }';
  const first = await server.ask<{ campaign: { events: Page }; events: Page }>(`{
    campaign(id: "${campaign}") { events(first: 5) { ${selection} } }
    events(campaign: "${campaign}", first: 5) { ${selection} }
  }`);
  t.same(first.events, first.campaign.events);
  t.equal(first.events.totalCount, 120);
  t.same(
    first.events.edges.map((edge) => edge.node),
    first.events.nodes,
  );
  const next = await server.ask<{ campaign: { events: Page }; events: Page }>(
    `query ($nested: String, $flat: String) {
      campaign(id: "${campaign}") { events(first: 5, after: $flat) { ${selection} } }
      events(campaign: "${campaign}", first: 5, after: $nested) { ${selection} }
    }`,
    { nested: first.campaign.events.pageInfo.endCursor, flat: first.events.pageInfo.endCursor },
  );
  t.same(next.events, next.campaign.events, 'and their cursors are');
  t.notSame(next.events.nodes, first.events.nodes);
});

t.test('a selection may be written in any way', async (t) => {
  const plain = await server.ask<{ campaigns: Page }>(`{ campaigns(first: 3) {
    edges { cursor node { id title brand { name } events(first: 2) { nodes { title } totalCount } } }
    pageInfo { endCursor hasNextPage } totalCount
  } }`);
  const twisted = await server.ask<{ campaigns: Page }>(
    `query Twisted($three: Int! = 3, $yes: Boolean! = true, $no: Boolean = false) {
      ...Root
      campaigns(first: $three) { edges @include(if: $yes) { node { ...Title brand { ... on Node { id @include(if: $no) } } } } }
    }
    fragment Root on Query {
      campaigns(first: $three) {
        ... on CampaignConnection { edges { ...Edge } ... @skip(if: $no) { pageInfo { ...Info } } }
        totalCount
        ... @skip(if: $yes) { nodes { body } }
      }
    }
    fragment Edge on CampaignEdge { cursor node { id ...Events } }
    fragment Title on Campaign { title brand { name } }
    fragment Events on Campaign { events(first: 2) { ...Titles totalCount } }
    fragment Titles on EventConnection { nodes { ... on Event { title } } }
    fragment Info on PageInfo { endCursor hasNextPage }`,
  );
  t.same(twisted, plain, 'through fragments, twice, with directives and variables');

  const aliased = await server.ask<{
    all: { list: { place: string; item: { number: string; name: string } }[]; info: object; count: number };
  }>(`{
    all: campaigns(first: 3) {
      list: edges { place: cursor item: node { number: id name: title } }
      info: pageInfo { end: endCursor more: hasNextPage }
      count: totalCount
    }
  }`);
  t.same(
    aliased.all.list.map(({ place, item }) => [place, item.number, item.name]),
    plain.campaigns.edges.map(({ cursor, node }) => [cursor, node.id, node.title]),
    'and under other names',
  );
  t.same(aliased.all.info, { end: plain.campaigns.pageInfo.endCursor, more: true });
  t.equal(aliased.all.count, 125);
});

t.test('a node', async (t) => {
  const { node, nodes } = await server.ask<{ node: object; nodes: object[] }>(
    `query ($ids: [ID!]!) {
      node(id: "${campaign}") { __typename id ... on Campaign { title brand { name } events(first: 1) { totalCount } } ... on Event { startsAt } }
      nodes(ids: $ids) { __typename id ... on Brand { name } ... on Event { startsAt } }
    }`,
    { ids: [globalId('Event', 3), globalId('Brand', 2), globalId('Event', 3)] },
  );
  t.same(node, {
    __typename: 'Campaign',
    id: campaign,
    title: 'Campaign 1',
    brand: { name: 'Brand 2' },
    events: { totalCount: 120 },
  });
  const event = { __typename: 'Event', id: globalId('Event', 3), startsAt: '2026-01-01T00:00:00.000001Z' };
  t.same(nodes, [event, { __typename: 'Brand', id: globalId('Brand', 2), name: 'Brand 2' }, event]);
});
