import { getIntrospectionQuery } from 'graphql';
import { t } from 'tap';
import { codes, send } from '../http/client.ts';
import { globalId, makeData } from '../support/data.ts';
import { counted, startServer } from '../support/server.ts';

const server = await startServer(t, { redis: null });
await makeData(server.sql, { brands: 2, campaigns: 12, events: 30, perCampaign: 10 });
const strict = await startServer(t, { redis: null, env: { MAX_COST: '1000', INTROSPECTION: 'on' } });
await makeData(strict.sql, { brands: 2, campaigns: 12, events: 30, perCampaign: 10 });

/** What a request would cost, as the server says itself. */
async function costOf(query: string, variables?: object): Promise<number> {
  const answer = await send(server.url, { body: { query, variables }, headers: { 'x-cost': '1' } });
  const cost = answer.json.extensions?.cost as { requested: number } | undefined;
  if (cost === undefined) throw new Error(`Expected a cost, got ${answer.text}`);
  return cost.requested;
}

t.test('a page of a hundred pages of a hundred costs a hundred times a page of one', async (t) => {
  const nested = (outer: number, inner: number) =>
    costOf(`{ campaigns(first: ${outer}) { nodes { id title events(first: ${inner}) { nodes { id title } } } } }`);
  const near = (ratio: number, what: string) => t.ok(ratio > 95 && ratio < 105, `${what}: ${ratio.toFixed(1)} times`);
  near((await nested(100, 100)) / (await nested(1, 100)), 'outside');
  const flat = (first: number) => costOf(`{ campaigns(first: ${first}) { nodes { id title body } } }`);
  t.equal((await flat(100)) - 1, 100 * ((await flat(1)) - 1), 'alone, the field itself aside');
  t.equal(await nested(100, 100), 1 + 100 * (1 + 1 + 100), 'a point for each page and each entry that it may bring');
  t.equal(await nested(0, 100), 1, 'nothing of a page of nothing');
  t.equal(await costOf('{ __typename }'), 1, 'nothing is quite free');
});

t.test('the size of a page is found wherever it is said', async (t) => {
  const page = (size: string, definition = '') => `query ${definition} { campaigns${size} { nodes { title } } }`;
  const of = (size: number) => 1 + size;
  t.equal(await costOf(page('(first: 7)')), of(7), 'a literal');
  t.equal(await costOf(page('(last: 7)')), of(7), 'from the end');
  t.equal(await costOf(page('')), of(20), 'the default');
  t.equal(await costOf(page('(first: null)')), of(20), 'a null');
  t.equal(await costOf(page('(first: null, last: 3)')), of(3));
  t.equal(await costOf(page('(first: $n)', '($n: Int)'), { n: 7 }), of(7), 'a variable');
  t.equal(await costOf(page('(first: $n)', '($n: Int)')), of(20), 'a variable that is not given');
  t.equal(await costOf(page('(first: $n)', '($n: Int = 9)')), of(9), "a variable's default");
  t.equal(
    await costOf(page('(first: $n)', '($n: Int = 9)'), { n: null }),
    of(20),
    'a default that is overruled by null',
  );
  t.equal(await costOf('{ a: campaigns(first: 7) { nodes { b: title } } }'), of(7), 'under aliases');
  t.equal(
    await costOf('{ ...F } fragment F on Query { campaigns(first: 7) { nodes { title } } }'),
    of(7),
    'in a fragment',
  );
  t.equal(
    await costOf('{ ... on Query { ... { campaigns(first: 7) { nodes { title } } } } }'),
    of(7),
    'in inline fragments',
  );
  t.equal(await costOf('{ campaigns(first: 7) { ...F } } fragment F on CampaignConnection { nodes { title } }'), of(7));
  t.equal(
    await costOf('{ node(id: "x") { ... on Campaign { events(first: 7) { nodes { title } } } } }'),
    1 + of(7),
    'behind an interface',
  );
  t.equal(await costOf('{ nodes(ids: ["a", "b", "c"]) { id } }'), 1 + 3, 'a list of ids');
  t.equal(await costOf('query ($i: [ID!]!) { nodes(ids: $i) { id __typename } }', { i: ['a', 'b'] }), 1 + 2);
  t.equal(await costOf('{ a: campaigns(first: 1) { nodes { title } } b: campaigns(first: 2) { nodes { title } } }'), 5);
});

t.test('what @skip and @include leave out costs nothing', async (t) => {
  const query = `query ($yes: Boolean!, $no: Boolean = false) {
    __typename
    a: campaigns(first: 50) @skip(if: $yes) { nodes { title } }
    b: campaigns(first: 50) @include(if: $no) { nodes { title } }
    ... @skip(if: true) { c: campaigns { nodes { title } } }
    ...F @include(if: $no)
    d: campaigns(first: 2) @include(if: $yes) @skip(if: $no) { nodes { title @include(if: $no) id } }
  }
  fragment F on Query { brands(first: 100) { nodes { name } } }`;
  t.equal(await costOf(query, { yes: true }), 1 + 2);
  t.equal(await costOf(query, { yes: false }), 1 + 50);
  t.equal(await costOf(query, { yes: false, no: true }), 2 * (1 + 50) + (1 + 100));
  t.equal(
    await costOf(
      'query ($s: Boolean!) { __typename ...F @skip(if: $s) } fragment F on Query { ...G } fragment G on Query { campaigns @skip(if: $s) { nodes { id } } }',
      { s: true },
    ),
    1,
  );
});

t.test('what costs too much is refused as a whole, and no SQL runs', async (t) => {
  const query =
    'query Big { __typename brands(first: 2) { nodes { name } } c: campaigns(first: 100) { nodes { e: events(first: 100) { nodes { title } } } } }';
  const { answer, sql } = await counted({ database: strict.database, redis: null }, () =>
    send(strict.url, { body: { query } }),
  );
  t.equal(sql, 0, 'Postgres counted no statement');
  t.equal(answer.status, 200, 'the request itself was all right');
  t.notOk('data' in answer.json, 'nothing was executed');
  const cost = 1 + 2 + (1 + 100 * (1 + 1 + 100));
  t.match(answer.json.errors, [{ extensions: { code: 'COST_LIMIT', cost, limit: 1000, argument: 'first' } }]);
  t.equal(answer.json.errors?.length, 1);
  t.same(answer.json.errors?.[0]?.extensions?.path, ['c', 'nodes', 'e'], 'the list to make smaller');
  t.match(answer.json.errors?.[0]?.message, /10204 points, and at most 1000 .* Lower first of c\.nodes\.e/);
  const accept = 'application/graphql-response+json';
  t.equal((await send(strict.url, { body: { query }, headers: { accept } })).status, 400, 'for who can tell it apart');
  t.equal((await send(strict.url, { search: { query } })).status, 200, 'by GET as well');
  const fits = await send(strict.url, { body: { query: query.replaceAll('100', '10') }, headers: { 'x-cost': '1' } });
  t.match(fits.json, { data: { brands: {} }, extensions: { cost: { requested: 3 + 1 + 10 * 12, limit: 1000 } } });
});

t.test('the advice names what to make smaller', async (t) => {
  const advice = async (query: string, variables?: object) => {
    const [error] = (await send(strict.url, { body: { query, variables } })).json.errors ?? [];
    return [error?.extensions?.code, error?.extensions?.path, error?.extensions?.argument];
  };
  const page = 'nodes { title events(first: 60) { nodes { title body startsAt } } }';
  t.same(
    await advice(`{ node(id: "x") { id ... on Brand { campaigns { ${page} } } ... on Event { id } } }`),
    ['COST_LIMIT', ['node', 'campaigns', 'nodes', 'events'], 'first'],
    'through an interface',
  );
  t.same(
    await advice(`query ($i: [ID!]!) { nodes(ids: $i) { id __typename } }`, { i: Array(1600).fill('x') }),
    ['COST_LIMIT', ['nodes'], 'ids'],
    'a list of ids',
  );
  t.same(
    await advice(
      '{ ...A } fragment A on Query { brands(last: 90) { nodes { ...B } } } fragment B on Brand { campaigns { nodes { id } } }',
    ),
    ['COST_LIMIT', ['brands', 'nodes', 'campaigns'], 'first'],
    'through fragments, and a page whose size was not said',
  );
  t.same(
    await advice(
      'query ($s: Boolean!) { a: campaigns(first: 100) @skip(if: $s) { nodes { id title body } } b: events(last: 100) { nodes { id title body startsAt ... on Event { a: id b: id c: id d: id e: id f: id g: id h: id i: id } } } }',
      { s: true },
    ),
    ['COST_LIMIT', ['b'], 'last'],
    'not what is skipped',
  );
});

t.test('the cost is told to who asks for it', async (t) => {
  const query = '{ campaigns(first: 2) { nodes { title } } }';
  const asked = await send(strict.url, { body: { query }, headers: { 'x-cost': '1' } });
  t.same(asked.json.extensions, { cost: { requested: 3, limit: 1000 } }, 'and nothing but this');
  t.equal((await send(strict.url, { body: { query } })).json.extensions, undefined);
  t.equal((await send(strict.url, { body: { query }, headers: { 'x-cost': '0' } })).json.extensions, undefined);
});

t.test('an argument without the value that it needs is the mistake of who sent it', async (t) => {
  const query = 'query ($ids: [ID!] = ["x"], $if: Boolean = true) { nodes(ids: $ids) { id @include(if: $if) } }';
  for (const variables of [{ ids: null }, { if: null }]) {
    const answer = await send(server.url, { body: { query, variables } });
    t.same([answer.status, codes(answer)], [200, ['BAD_USER_INPUT']]);
    t.notOk('data' in answer.json);
  }
});

t.test("the schema tells each field's cost, and GraphiQL's own question is affordable", async (t) => {
  const answer = await send(strict.url, { body: { query: getIntrospectionQuery() }, headers: { 'x-cost': '1' } });
  t.equal(answer.json.errors, undefined);
  t.match(answer.json.extensions, { cost: { limit: 1000 } });
  const { __schema } = answer.json.data as {
    __schema: { types: { kind: string; name: string; fields: { name: string; description: string }[] | null }[] };
  };
  const fields = __schema.types
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((type) => (type.kind === 'OBJECT' ? (type.fields ?? []).map((field) => ({ type, field })) : []));
  t.ok(fields.length > 50);
  for (const { type, field } of fields) {
    const isConnection = /Connection$/.test(type.name);
    const multiplies = !isConnection && ['campaigns', 'events', 'brands', 'nodes'].includes(field.name);
    const isEntries = isConnection && ['edges', 'nodes'].includes(field.name);
    const expected = multiplies
      ? /Cost: 1, and what is selected in it times /
      : isEntries
        ? /for each entry\.$/
        : /Cost: [01]\.$/;
    t.match(field.description, expected, `${type.name}.${field.name}`);
  }
});

t.test('five hundred thousand nodes are too many, whatever they cost', async (t) => {
  const tall = (size: number) =>
    `{ campaigns(first: 100) { nodes { events(first: 100) { nodes { campaigns(first: ${size}) { totalCount } } } } } }`;
  const rich = await startServer(t, { redis: null, env: { MAX_COST: '100000000' } });
  const many = await send(rich.url, { body: { query: tall(50) } });
  t.match(many.json.errors, [{ extensions: { code: 'NODE_LIMIT', nodes: 100 + 10_000 + 500_000, limit: 500_000 } }]);
  t.notOk('data' in many.json);
  t.same(codes(await send(rich.url, { body: { query: tall(48) } })), [], 'a few less are not');
  const skipped = `query ($s: Boolean = true) ${tall(50).replace('campaigns(first: 50)', 'campaigns(first: 50) @skip(if: $s)').replace('{ nodes { campaigns', '{ totalCount nodes { id campaigns')}`;
  t.same(codes(await send(rich.url, { body: { query: skipped } })), [], 'what is skipped brings none');
  t.same(codes(await send(rich.url, { body: { query: skipped, variables: { s: false } } })), ['NODE_LIMIT']);
});

t.test('the id that a client sends costs nothing more', async () => {
  t.equal(await costOf(`{ campaign(id: "${globalId('Campaign', 1)}") { title } }`), 1);
});

t.test('a document that was asked before costs what its variables say now', async (t) => {
  const query =
    'query ($first: Int, $some: Boolean!) { campaigns(first: $first) { nodes { id brand @include(if: $some) { id } } } }';
  const cost = (first: number | undefined, some: boolean) => costOf(query, { first, some });
  const one = await cost(1, true);
  const fifty = await cost(50, true);
  t.ok(fifty > 40 * (one - 1));
  t.equal(await cost(1, true), one);
  t.ok((await cost(50, false)) < fifty);
  t.equal(await cost(50, true), fifty);
  t.equal(await cost(undefined, true), await cost(20, true), 'the default page size counts');
});

t.test('what is merged costs once, and what a page has once costs once a page', async (t) => {
  const page = (inside: string, first = 100) => costOf(`{ campaigns(first: ${first}) { ${inside} } } ${FRAGMENTS}`);
  const FRAGMENTS = ['A', 'B', 'C', 'D', 'E'].map((name) => `fragment ${name} on Campaign { id title }`).join(' ');
  const all = '...A ...B ...C ...D ...E';
  const plain = await costOf('{ campaigns(first: 100) { nodes { id title } } }');
  t.equal(await page(`nodes { ${all} }`), plain, 'five fragments');
  t.equal(await page(`nodes { ${all} ... on Campaign { id } ... { title } id title __typename }`), plain, 'and fields');
  t.equal(await page(`nodes { ...A } nodes { ...B } ... { nodes { ...C ...D ...E } }`), plain, 'in merged parents');
  t.equal(
    await page(`__typename edges { __typename cursor node { __typename ${all} } }`),
    plain,
    'in edges, with cursors',
  );
  const once = `pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount`;
  t.equal(await page(`nodes { ${all} } ${once}`), plain + 2);
  t.equal(await page(`nodes { ${all} } ${once}`, 1), 2 + 2);
  t.equal(await page(`${once} nodes @skip(if: true) { ${all} }`), 1 + 2);
});

t.test('pages of the default size are affordable, with all that Relay selects', async (t) => {
  const affordable = async (query: string, cost: number) => {
    const answer = await send(strict.url, { body: { query }, headers: { 'x-cost': '1' } });
    t.same([codes(answer), answer.json.extensions], [[], { cost: { requested: cost, limit: 1000 } }], query);
  };
  await affordable('{ campaigns { edges { node { id title events { edges { node { id title } } } } } } }', 1 + 20 * 22);
  const pageInfo = 'pageInfo { hasNextPage endCursor }';
  const edges = (inside: string) => `edges { cursor node { __typename id title body ${inside} } } ${pageInfo}`;
  await affordable(
    `{ campaigns { ${edges(`brand { id name } events { ${edges('startsAt')} totalCount }`)} } }`,
    2 + 20 * 25,
  );
  await affordable(`{ campaigns(first: 100) { ${edges('brand { id name }')} } }`, 2 + 100 * 2);
  const large = await send(strict.url, {
    body: { query: '{ campaigns(first: 100) { edges { node { events(first: 100) { edges { node { id } } } } } } }' },
  });
  t.same(codes(large), ['COST_LIMIT']);
  t.same(large.json.errors?.[0]?.extensions?.path, ['campaigns', 'edges', 'node', 'events']);
});

t.test('nothing large is had for a few points', async (t) => {
  const many = (part: (i: number) => string) => Array.from({ length: 90 }, (_, i) => part(i)).join(' ');
  const expensive: Readonly<Record<string, string>> = {
    'a value under many names': `{ campaigns(first: 90) { nodes { ${many((i) => `b${i}: body`)} } } }`,
    'a cursor under many names': `{ campaigns(first: 90) { edges { ${many((i) => `c${i}: cursor`)} } } }`,
    'a node under many names': `{ campaigns(first: 90) { edges { ${many((i) => `n${i}: node { id }`)} } } }`,
    'a type under many names': `{ campaigns(first: 90) { nodes { ${many((i) => `t${i}: __typename`)} } } }`,
    'entries under many names': `{ campaigns(first: 90) { ${many((i) => `n${i}: nodes { __typename }`)} } }`,
    'edges without anything': `{ ${many((i) => `c${i}: campaigns(first: 90) { edges { __typename } }`)} }`,
    'many ids': `query ($ids: [ID!]! = [${many((i) => `"${i}"`)}]) { ${many((i) => `n${i}: nodes(ids: $ids) { __typename }`)} }`,
    'pages in pages': '{ brands { nodes { campaigns { nodes { events(first: 3) { nodes { id } } } } } } }',
  };
  for (const [name, query] of Object.entries(expensive)) {
    t.same(codes(await send(strict.url, { body: { query } })), ['COST_LIMIT'], name);
  }
});
