import { getIntrospectionQuery, type IntrospectionOptions, parse } from 'graphql';
import { t } from 'tap';
import { LIMITS } from '../../src/http/documents/limits.ts';
import { send } from '../http/client.ts';
import { counted, startServer } from '../support/server.ts';

const server = await startServer(t, { redis: null, env: { INTROSPECTION: 'on' } });

const repeat = (times: number, part: (i: number) => string, between = ' ') =>
  Array.from({ length: times }, (_, i) => part(i)).join(between);

/** A document that has exactly so much of what a limit counts. */
const DOCUMENTS: { [Limit in keyof typeof LIMITS]?: (size: number) => string } = {
  tokens: (size) =>
    `{ __typename ${'# no token\n'.repeat(5)} brands(first: 1) @include(if: true) { totalCount } ${
      // A list is made of as many tokens as one likes.
      `nodes(ids: [${repeat(size - 29, () => '1')}]) { id }`
    } }`,
  characters: (size) => `{ __typename }${'#'.repeat(size - 14)}`,
  depth: (size) => nested(size),
  breadth: (size) =>
    `{ ...F __typename ${repeat(size - 4, () => '__typename')} } fragment F on Query { ...G __typename ...G } fragment G on Query { __typename }`,
  fields: (size) => {
    const rest = size - 9 * (1 + 200) - 2;
    return `{ ${repeat(9, (i) => `a${i}: brands { ${repeat(200, () => '__typename')} }`)} b: brands { x: __typename } ${repeat(rest, () => '__typename')} }`;
  },
  aliases: (size) => `{ ${repeat(size - 1, (i) => `a${i}: __typename`)} ...F } fragment F on Query { b: __typename }`,
  directives: (size) =>
    `{ ${repeat(size - 1, () => '__typename @include(if: true)')} ...F @skip(if: true) } fragment F on Query { __typename }`,
  operations: (size) => repeat(size, (i) => `query Q${i} { __typename }`),
  nesting: (size) => {
    // The document, the operation and its selections are three levels, an inline fragment two, the rest two or five.
    const [rest, levels] = size % 2 === 1 ? ['__typename', 5] : ['events(orderBy: { field: ID }) { totalCount }', 8];
    const inside = (size - levels) / 2;
    return `{ ${'... { '.repeat(inside)} ${rest} ${'}'.repeat(inside)} }`;
  },
};

/** Fields inside of fields, so many. */
function nested(depth: number): string {
  let query = depth % 2 === 0 ? 'totalCount' : '__typename';
  for (let level = depth - 1; level >= 1; level -= 1) {
    const even = ['nodes', 'campaigns(first: 1)', 'nodes', 'events(first: 1)'];
    query = `${level === 1 ? 'campaigns(first: 1)' : even[level % 4]} { ${query} }`;
  }
  return `{ ${query} }`;
}

t.test('a document may be as large as each limit says, and no larger', async (t) => {
  for (const [name, document] of Object.entries(DOCUMENTS)) {
    const limit = LIMITS[name as keyof typeof LIMITS];
    const query = document(limit);
    if (name === 'tokens') t.equal(parse(query).tokenCount, limit, 'the document has as many tokens as it should');
    const body = { query, ...(name === 'operations' ? { operationName: 'Q0' } : {}) };
    const fits = await send(server.url, { body });
    t.same(fits.json.errors?.filter(({ path }) => path === undefined) ?? [], [], `${name}: ${limit} are answered`);
    t.ok('data' in fits.json);
    const beyond = { ...body, query: document(limit + 1) };
    const { answer, sql } = await counted({ database: server.database, redis: null }, () =>
      send(server.url, { body: beyond }),
    );
    t.match(
      answer.json.errors,
      [{ extensions: { code: 'DOCUMENT_TOO_LARGE', limit: name } }],
      `${name}: one more is not`,
    );
    t.notOk('data' in answer.json);
    t.equal(sql, 0);
    const accept = 'application/graphql-response+json';
    t.equal((await send(server.url, { body: beyond, headers: { accept } })).status, 400);
  }
});

t.test("graphql-js' own introspection query passes, however it is asked for, with the default limits", async (t) => {
  const usual = await startServer(t, { redis: null, env: { INTROSPECTION: 'on', MAX_COST: '' } });
  const everything: IntrospectionOptions = {
    descriptions: true,
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    schemaDescription: true,
    inputValueDeprecation: true,
    oneOf: true,
  };
  for (const options of [{}, everything, { descriptions: false }]) {
    const answer = await send(usual.url, { body: { query: getIntrospectionQuery(options) } });
    t.equal(answer.json.errors, undefined);
    t.match(answer.json.data, { __schema: { queryType: { name: 'Query' } } });
  }
});

t.test('introspection brings no more than a few times what that query does', async (t) => {
  const type = 'fields { name description args { name description type { name } } type { name kind ofType { name } } }';
  const cases: Record<string, string> = {
    'many lists of types': `{ __schema { ${repeat(60, (i) => `a${i}: types { ${type} }`)} } }`,
    'many types': `{ ${repeat(90, (i) => `a${i}: __type(name: "Query") { fields { type { fields { type { ${type} } } } } }`)} }`,
    'in fragments': `{ __schema { ...A } } fragment A on __Schema { ${repeat(60, (i) => `a${i}: types { ...B }`)} } fragment B on __Type { ${type} }`,
  };
  for (const [name, query] of Object.entries(cases)) {
    const answer = await send(server.url, { body: { query } });
    t.match(answer.json.errors, [{ extensions: { code: /DOCUMENT_TOO_LARGE|VALIDATION/ } }], name);
  }
  const deep = `{ __type(name: "Query") { ${'fields { type { '.repeat(4)} name ${'} }'.repeat(4)} } }`;
  t.match((await send(server.url, { body: { query: deep } })).json.errors, [{ message: /introspection depth/ }]);
});
