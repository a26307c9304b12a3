import { t } from 'tap';
import { makeData } from '../support/data.ts';
import { startServer } from '../support/server.ts';
import { codes, keepAlive, send } from './client.ts';

const server = await startServer(t, { redis: null });
await makeData(server.sql, { brands: 3, campaigns: 12, events: 30, perCampaign: 10 });

const QUERY = `
  query One { brands(first: 1) { nodes { name } } }
  query Two($first: Int = 2) { brands(first: $first) { ...F } }
  query Three { one: brands(first: 1) { ...F } two: campaigns(first: 1) { nodes { title } } }
  mutation Four { deleteBrand(input: { id: "x" }) { clientMutationId } }
  fragment F on BrandConnection { totalCount nodes { name } }`;

const brands = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `Brand ${i + 1}` }));

const ANSWERS: Record<string, object> = {
  One: { brands: { nodes: brands(1) } },
  Two: { brands: { totalCount: 3, nodes: brands(2) } },
  Three: { one: { totalCount: 3, nodes: brands(1) }, two: { nodes: [{ title: 'Campaign 1' }] } },
};

t.test('the operation that is named is executed, however often another one was', async (t) => {
  const agent = keepAlive(t, 4);
  const names = Object.keys(ANSWERS);
  // Long runs of the same one, quick changes, and all at once: whatever is compiled or remembered on the way is warm.
  const order = [...Array(30).fill('One'), ...Array(30).fill('Two'), ...Array(90).keys()].map((entry) =>
    typeof entry === 'number' ? (names[entry % 3] ?? '') : String(entry),
  );
  for (const [i, operationName] of order.entries()) {
    const parameters = { query: QUERY, operationName };
    const sent = i % 2 === 0 ? { body: parameters } : { search: parameters };
    const { json } = await send(server.url, { ...sent, agent });
    if (JSON.stringify(json.data) !== JSON.stringify(ANSWERS[operationName])) {
      t.same(json, { data: ANSWERS[operationName] }, `request ${i} asks for ${operationName}`);
    }
  }
  const together = await Promise.all(
    order.map((operationName) => send(server.url, { body: { query: QUERY, operationName }, agent })),
  );
  t.same(
    together.map(({ json }) => json.data),
    order.map((name) => ANSWERS[name]),
  );
  const variables = { first: 3 };
  const more = await send(server.url, { body: { query: QUERY, operationName: 'Two', variables }, agent });
  t.same(more.json, { data: { brands: { totalCount: 3, nodes: brands(3) } } }, 'with its own variables');
  const mutation = await send(server.url, { body: { query: QUERY, operationName: 'Four' }, agent });
  t.same([mutation.status, codes(mutation)], [403, ['FORBIDDEN']], 'a mutation among queries is one');
  const got = await send(server.url, { search: { query: QUERY, operationName: 'Four' }, agent });
  t.same([got.status, codes(got)], [405, ['METHOD_NOT_ALLOWED']]);
});

t.test('the name of an operation is right or wrong, and never guessed', async (t) => {
  const refused: [object, RegExp][] = [
    [{ query: QUERY }, /several operations/],
    [{ query: QUERY, operationName: null }, /several operations/],
    [{ query: QUERY, operationName: 'Five' }, /no operation of that name/],
    [{ query: QUERY, operationName: 'one' }, /no operation of that name/],
    [{ query: QUERY, operationName: 'F' }, /no operation of that name/],
    [{ query: QUERY, operationName: '' }, /no operation of that name/],
    [{ query: QUERY, operationName: '__proto__' }, /no operation of that name/],
    [{ query: QUERY, operationName: 'constructor' }, /no operation of that name/],
    [{ query: '{ __typename }', operationName: 'One' }, /no operation of that name/],
    [{ query: 'query One { __typename }', operationName: 'Two' }, /no operation of that name/],
    [{ query: 'fragment F on Query { __typename }' }, /./],
  ];
  for (const [parameters, message] of refused) {
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      const answer = await send(server.url, { body: parameters, headers: { accept } });
      t.match(answer.json.errors, [{ message }], JSON.stringify(parameters).slice(-80));
      t.notOk('data' in answer.json);
      if (!('query' in parameters) || !String(parameters.query).startsWith('fragment')) {
        // As for other errors of a document, by the draft of May 2025.
        const status = accept === 'application/json' ? 200 : 400;
        t.same([answer.status, codes(answer)], [status, ['OPERATION_NOT_FOUND']]);
      }
    }
  }
  const search = { query: QUERY, operationName: 'Five' };
  t.same(codes(await send(server.url, { search })), ['OPERATION_NOT_FOUND'], 'by GET');
  const { operationName: _, ...unnamed } = search;
  t.same(codes(await send(server.url, { search: unnamed })), ['OPERATION_NOT_FOUND'], 'by GET without a name');
  const only = { query: 'query One { __typename }' };
  t.same((await send(server.url, { body: only })).json, { data: { __typename: 'Query' } }, 'one needs no name');
  t.same((await send(server.url, { body: { ...only, operationName: 'One' } })).json.data, { __typename: 'Query' });
  t.same(codes(await send(server.url, { body: { query: 'query A { __typename } { __typename }' } })), [
    'GRAPHQL_VALIDATION_FAILED',
  ]);
  t.same(
    codes(await send(server.url, { body: { query: 'query A { __typename } query A { id }' } })).at(0),
    'GRAPHQL_VALIDATION_FAILED',
  );
});

t.test('a syntax tree is no document, in whatever form', async (t) => {
  const field = { kind: 'Field', name: { kind: 'Name', value: '__typename' } };
  const tree = {
    kind: 'Document',
    definitions: [
      { kind: 'OperationDefinition', operation: 'query', selectionSet: { kind: 'SelectionSet', selections: [field] } },
    ],
  };
  t.same(codes(await send(server.url, { body: { query: tree } })), ['BAD_REQUEST'], 'as an object');
  t.same(codes(await send(server.url, { body: { query: JSON.stringify(tree) } })), ['GRAPHQL_PARSE_FAILED'], 'as text');
  t.same(
    codes(await send(server.url, { search: { query: JSON.stringify(tree) } })),
    ['GRAPHQL_PARSE_FAILED'],
    'by GET',
  );
  t.same(codes(await send(server.url, { body: { query: JSON.stringify([tree]) } })), ['GRAPHQL_PARSE_FAILED']);
});

t.test('what the server has no root for is not valid', async (t) => {
  for (const query of [
    'subscription { __typename }',
    'subscription S { brandChanged { id } }',
    'type X { a: Int }',
    'schema { query: Query }',
  ]) {
    const answer = await send(server.url, { body: { query } });
    t.same([answer.status, codes(answer)[0], 'data' in answer.json], [200, 'GRAPHQL_VALIDATION_FAILED', false], query);
  }
});

t.test('large documents are executed like small ones', async (t) => {
  const names = Array.from({ length: 90 }, (_, i) => `a${i}: brand(id: "QnJhbmQ6MQ==") { name }`).join(' ');
  const tail = 'x: campaigns(first: 101) { totalCount } one: brands(first: $first) { nodes { name } }';
  const query = `query ($first: Int!) { ${names} ${tail} ${'# and on it goes\n'.repeat(2000)} }`;
  for (const _ of [1, 2, 3]) {
    const answer = await send(server.url, { body: { query, variables: { first: 2 } } });
    t.equal(answer.status, 200);
    t.match(answer.json.data, {
      a0: { name: 'Brand 1' },
      a89: { name: 'Brand 1' },
      x: null,
      one: { nodes: brands(2) },
    });
    t.match(answer.json.errors, [
      { path: ['x'], locations: [{}], extensions: { code: 'BAD_USER_INPUT', argument: 'first' } },
    ]);
  }
});
