import { type ExecutionResult, execute, parse } from 'graphql';
import { type Test, t } from 'tap';
import { entities } from '../../../src/app/entities.ts';
import { buildGraphQLSchema } from '../../../src/app/schema.ts';
import { createLarder } from '../../../src/larder.ts';
import { globalId, makeData } from '../../support/data.ts';
import { type Answer, openServer, startServer } from '../../support/server.ts';
import { bearer, JWT_SECRET } from '../../support/token.ts';

const server = await startServer(t, { redis: null, env: { JWT_SECRET, MAX_COST: '1000', INTROSPECTION: 'on' } });
await makeData(server.sql, { brands: 3, campaigns: 120, events: 60, perCampaign: 6 });
await server.sql`select setval(pg_get_serial_sequence('brands', 'id'), 1000)`;
const larder = await createLarder({ entities, postgres: { url: server.database.url } });
t.teardown(() => larder.close());
const schema = buildGraphQLSchema();
const C1 = globalId('Campaign', 1);

/** What graphql-js answers, without a server. */
function reference(query: string, variables: Record<string, unknown>): Promise<ExecutionResult> {
  const contextValue = larder.createContext();
  return Promise.resolve(execute({ schema, document: parse(query), variableValues: variables, contextValue }));
}

/** Asks the same six times: from the fourth on it may be answered in another way. */
async function sixTimes(
  query: string,
  variables: object,
  { query: ask }: Pick<typeof server, 'query'> = server,
): Promise<Answer<unknown>[]> {
  const answers: Answer<unknown>[] = [];
  for (let i = 0; i < 6; i += 1) answers.push(await ask(query, variables, bearer()));
  return answers;
}

/** Six equal answers, of which it answers the data. */
async function always(t: Test, query: string, variables: Record<string, unknown> = {}): Promise<string> {
  const expected = JSON.stringify((await reference(query, variables)).data);
  for (const [i, { data, errors }] of (await sixTimes(query, variables)).entries()) {
    t.equal(errors, undefined, `no error in answer ${i + 1}`);
    t.equal(JSON.stringify(data), expected, `answer ${i + 1} is that of graphql-js`);
  }
  return expected;
}

t.test('a fragment spread under a condition and again without one', async (t) => {
  const query =
    'query($a: Boolean!, $id: ID!) { campaign(id: $id) { id ...F @include(if: $a) ...F } } fragment F on Campaign { title }';
  t.equal(await always(t, query, { a: false, id: C1 }), JSON.stringify({ campaign: { id: C1, title: 'Campaign 1' } }));
});

t.test('through two fragments, as Relay composes them', async (t) => {
  const query =
    'query($full: Boolean!) { campaigns(first: 2) { edges { node { ...Detail @include(if: $full) ...Row } } } } fragment Row on Campaign { id ...Title } fragment Detail on Campaign { ...Title body } fragment Title on Campaign { title }';
  const nodes = [1, 2].map((id) => ({ node: { id: globalId('Campaign', id), title: `Campaign ${id}` } }));
  t.equal(await always(t, query, { full: false }), JSON.stringify({ campaigns: { edges: nodes } }));
  t.match(await always(t, query, { full: true }), /Body of campaign 2/);
});

t.test('a skipped branch does not add to a merged field', async (t) => {
  const query =
    'query($b: Boolean!) { campaigns(first: 1) { ... @skip(if: $b) { nodes { ...B } } nodes { id } } } fragment B on Campaign { title }';
  t.equal(await always(t, query, { b: true }), JSON.stringify({ campaigns: { nodes: [{ id: C1 }] } }));
});

t.test('a write under two conditions happens once, each time', async (t) => {
  const query =
    'mutation($a: Boolean!) { ...M @include(if: $a) ...M } fragment M on Mutation { createBrand(input: { name: "x" }) { brand { id } } }';
  const written = async () => Number((await server.sql`select count(*) from brands where name = 'x'`)[0]?.count);
  for (const a of [false, true]) {
    const before = await written();
    for (const { data } of await sixTimes(query, { a })) t.match(data, { createBrand: { brand: { id: String } } });
    t.equal((await written()) - before, 6);
  }
});

t.test('a write that is skipped does not happen', async (t) => {
  const query = 'mutation($a: Boolean!) { createBrand(input: { name: "y" }) @include(if: $a) { brand { id } } }';
  for (const { text } of await sixTimes(query, { a: false })) t.equal(text, '{"data":{}}');
  t.equal((await server.sql`select 1 from brands where name = 'y'`).length, 0);
});

t.test('what is priced is what is run', async (t) => {
  const query =
    'query($b: Boolean!) { ...Q @skip(if: $b) campaigns(first: 100) { nodes { id } } } fragment Q on Query { campaigns(first: 100) { nodes { ...E } } } fragment E on Campaign { events(first: 100) { nodes { ...X } } } fragment X on Event { title id startsAt campaigns(first: 100) { nodes { id title } } }';
  const data = JSON.parse(await always(t, query, { b: true }));
  t.equal(data.campaigns.nodes.length, 100);
  for (const node of data.campaigns.nodes) t.same(Object.keys(node), ['id']);
  for (const { data, errors } of await sixTimes(query, { b: false })) {
    t.equal(data, undefined);
    t.match(errors, [{ extensions: { code: 'COST_LIMIT' } }]);
  }
});

t.test('a default of the schema inside an input object', async (t) => {
  const query = 'query($order: EventOrder) { events(first: 1, orderBy: $order) { nodes { id } } }';
  const first = JSON.stringify({ events: { nodes: [{ id: globalId('Event', 1) }] } });
  t.equal(await always(t, query, { order: { field: 'STARTS_AT' } }), first);
  const literal = 'query($f: EventOrderField!) { events(first: 1, orderBy: { field: $f }) { nodes { id } } }';
  t.equal(await always(t, literal, { f: 'STARTS_AT' }), first);
});

t.test('variables named as properties of every object', async (t) => {
  const query = 'query($toString: Int) { events(first: $toString) { nodes { id } } }';
  t.equal(JSON.parse(await always(t, query)).events.nodes.length, 20);
  t.equal(JSON.parse(await always(t, query, { toString: 3 })).events.nodes.length, 3);
  const names =
    'query($__proto__: Int = 2, $constructor: Boolean = true, $valueOf: OrderDirection! = DESC) { events(first: $__proto__, orderBy: { field: ID, direction: $valueOf }) { nodes @include(if: $constructor) { id } } }';
  t.same(
    JSON.parse(await always(t, names)).events.nodes,
    [60, 59].map((id) => ({ id: globalId('Event', id) })),
  );
});

t.test('conditions by default, by both directives, on __typename and around everything', async (t) => {
  await always(
    t,
    'query($a: Boolean = false) { __typename @skip(if: $a) brands(first: 1) @include(if: $a) { totalCount } }',
  );
  await always(
    t,
    'query($a: Boolean! = true) { campaigns(first: 1) { nodes { __typename @include(if: $a) id @skip(if: $a) } } }',
  );
  const both =
    'query($a: Boolean!, $b: Boolean!) { brands(first: 1) { nodes { id name @include(if: $a) @skip(if: $b) } } }';
  for (const a of [true, false]) for (const b of [true, false]) await always(t, both, { a, b });
  t.equal(await always(t, 'query($a: Boolean!) { brands @skip(if: $a) { totalCount } }', { a: true }), '{}');
  t.equal(await always(t, 'query($a: Boolean!) { brands { totalCount @skip(if: $a) } }', { a: true }), '{"brands":{}}');
  t.equal(await always(t, '{ brands @skip(if: true) { totalCount } __typename }'), '{"__typename":"Query"}');
});

t.test('introspection beside data, under a condition', async (t) => {
  const query =
    'query($a: Boolean!) { __type(name: "Brand") { name fields @include(if: $a) { name } } brands(first: 1) { nodes { name } } }';
  for (const a of [true, false]) await always(t, query, { a });
  const types = '{ __schema { types { name } } }';
  t.notMatch(await always(t, types), /Larder__/, 'nothing shows of how it is executed');
});

t.test('keys that join to those of others, or that every object has', async (t) => {
  await always(
    t,
    `{ events_x: events(first: 2) { nodes { id title } } x: campaign(id: "${C1}") { events(first: 1) { totalCount } } }`,
  );
  await always(
    t,
    `{ x: campaign(id: "${C1}") { events(first: 1) { totalCount } } events_x: events(first: 2) { nodes { id title } } }`,
  );
  await always(t, '{ campaigns(first: 1) { nodes { __proto__: title constructor: body toString: id } } }');
});

t.test('a text that a compiler of mercurius would read as code is a text', async (t) => {
  const text = '__MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74d0,globalThis.injected=1';
  await always(t, `{ campaign(id: "${text}") { id } node(id: "${text}") { id } }`);
  await always(t, '{ campaign(id: "__MAGIC_NAN__57f286b9_4c20_487f_b409_79804ddcb4f8") { id } }');
  t.equal('injected' in globalThis, false);
});

t.test('what fails in a list stays in its place', async (t) => {
  const ids = [globalId('Event', 1), C1, globalId('Event', 2)];
  const query = 'query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Event { title } ... on Campaign { title } } }';
  const forgetful = await openServer(t, {
    redis: null,
    database: server.database,
    env: { MEMORY_MAX_ENTRIES: '0', JWT_SECRET },
  });
  await server.sql`alter table events rename to events_away`;
  try {
    for (const { data, errors } of await sixTimes(query, { ids }, forgetful)) {
      t.same(data, { nodes: [null, { id: C1, title: 'Campaign 1' }, null] });
      t.same(
        errors?.map(({ path }) => path),
        [
          ['nodes', 0],
          ['nodes', 2],
        ],
      );
    }
  } finally {
    await server.sql`alter table events_away rename to events`;
  }
});

t.test('an argument without the value that it needs stops its own write and no other', async (t) => {
  const query =
    'mutation($a: CreateBrandInput! = { name: "z" }, $b: DeleteBrandInput = { id: "none" }) { a: deleteBrand(input: $b) { deletedId } b: createBrand(input: $a) { brand { name } } }';
  for (const b of [null, { id: 'none' }]) {
    const written = await server.sql`select 1 from brands where name = 'z'`;
    for (const { data, errors } of await sixTimes(query, { b })) {
      t.same(data, { a: null, b: { brand: { name: 'z' } } });
      t.match(errors, [{ path: ['a'], extensions: { code: 'BAD_USER_INPUT' } }]);
    }
    t.equal((await server.sql`select 1 from brands where name = 'z'`).length - written.length, 6);
  }
});
