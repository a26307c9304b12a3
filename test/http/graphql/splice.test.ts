import { type ExecutionResult, execute, parse } from 'graphql';
import { type Test, t } from 'tap';
import { entities } from '../../../src/app/entities.ts';
import { buildGraphQLSchema } from '../../../src/app/schema.ts';
import { createLarder } from '../../../src/larder.ts';
import { globalId, makeData } from '../../support/data.ts';
import { type Answer, startServer } from '../../support/server.ts';

const server = await startServer(t, { redis: null });
await makeData(server.sql, { brands: 3, campaigns: 12, events: 40, perCampaign: 6 });
const larder = await createLarder({ entities, postgres: { url: server.database.url } });
t.teardown(() => larder.close());
const schema = buildGraphQLSchema();

/** As wide as the bench asks, and long enough to be sent as bytes. */
const WIDE = `query Wide($first: Int) {
  campaigns(first: $first) {
    nodes { id title body brand { id name } events(first: 5) { nodes { id title body startsAt } pageInfo { hasNextPage endCursor } } }
    pageInfo { hasNextPage endCursor }
  }
}`;

/** What graphql-js answers, without a server. */
async function reference(query: string, variables: Record<string, unknown>): Promise<ExecutionResult> {
  return execute({ schema, document: parse(query), variableValues: variables, contextValue: larder.createContext() });
}

/** Asks the same seven times: from the fourth on it is written as text, and from the sixth on of texts that memory keeps. */
async function always(t: Test, query: string, variables: Record<string, unknown> = {}): Promise<string> {
  const expected = JSON.stringify({ data: (await reference(query, variables)).data });
  for (let i = 1; i <= 7; i += 1) {
    const { text, headers } = await server.query(query, variables, { 'accept-encoding': 'identity' });
    t.equal(text, expected, `answer ${i} is that of graphql-js`);
    t.equal(headers.get('content-length'), String(Buffer.byteLength(text)));
    t.equal(headers.get('content-type'), 'application/json; charset=utf-8');
  }
  return expected;
}

t.test('what is kept as text is what Postgres says at the moment', async (t) => {
  await always(t, WIDE, { first: 10 });
  await server.sql`update events set title = 'Another title' where id = 1`;
  t.match(await always(t, WIDE, { first: 10 }), /Another title/);
  await server.sql`insert into events (id, title, body, starts_at) values (900, 'First of all', '', '2001-01-01')`;
  await server.sql`insert into campaign_events (campaign_id, event_id, starts_at) values (1, 900, '2001-01-01')`;
  t.match(await always(t, WIDE, { first: 10 }), /First of all/);
  await server.sql`delete from events where id = 900`;
  t.notMatch(await always(t, WIDE, { first: 10 }), /First of all/);
});

t.test('texts with characters of all kinds', async (t) => {
  const title = `"quoted" \\ back\nline \u0001 é ж 😀 \u2028`;
  await server.sql`update campaigns set title = ${title}, body = ${title.repeat(50)} where id = 2`;
  await server.sql`update events set title = ${title}, body = ${title.repeat(50)} where id % 2 = 0`;
  await always(t, WIDE, { first: 3 });
  await always(t, WIDE, { first: 12 });
  await always(t, `{ campaign(id: "${globalId('Campaign', 2)}") { title body } }`);
  const { text } = await server.query(WIDE, { first: 12 }, { 'accept-encoding': 'gzip' });
  t.equal(text, JSON.stringify({ data: (await reference(WIDE, { first: 12 })).data }), 'also compressed');
});

t.test('one page by several selections', async (t) => {
  const page = (inside: string) => `{ campaigns(first: 4) { ${inside} } }`;
  for (const inside of [
    'nodes { id title }',
    'nodes { title id }',
    'nodes { t: title i: id __typename }',
    'edges { node { id title } }',
    'edges { cursor node { id title } }',
    'edges { node { title events(first: 2) { edges { at: cursor node { id } } totalCount } } cursor __typename }',
    'totalCount nodes { id } pageInfo { startCursor hasPreviousPage } edges { cursor }',
    'nodes { id ...F } ... on CampaignConnection { nodes { brand { name } } } } } fragment F on Campaign { body brand { id',
  ]) {
    await always(t, page(inside));
  }
  await always(
    t,
    '{ a: campaigns(first: 2) { nodes { title } } b: campaigns(first: 2) { nodes { title } } __typename }',
  );
});

/** What a client sees of errors, in any order. */
const errorsOf = ({ errors = [] }: Answer<unknown>) => errors.map((error) => JSON.stringify(error)).toSorted();

t.test('errors are where they were', async (t) => {
  const bad = '{ campaigns(first: 3) { nodes { title events(first: 1, after: "none") { nodes { id } } } } }';
  const first = await server.query(bad);
  t.equal(first.errors?.length, 3);
  for (let i = 0; i < 6; i += 1) {
    const next = await server.query(bad);
    t.same(next.data, first.data);
    t.same(errorsOf(next), errorsOf(first));
  }
});

t.test('a null where there must be a value is told as graphql-js tells it', async (t) => {
  const query = '{ brands(first: 3) { nodes { id name } } campaigns(first: 1) { nodes { title } } }';
  await server.sql`alter table brands alter column name drop not null`;
  await server.sql`update brands set name = null where id = 3`;
  const { data, errors = [] } = await reference(query, {});
  t.same(
    errors.map(({ path }) => path),
    [['brands', 'nodes', 2, 'name']],
  );
  for (let i = 0; i < 6; i += 1) {
    const answer = await server.query(query);
    t.same(answer.data, data);
    t.match(answer.errors, [{ path: ['brands', 'nodes', 2, 'name'], extensions: { code: 'INTERNAL_SERVER_ERROR' } }]);
  }
});
