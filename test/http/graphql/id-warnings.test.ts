import { t } from 'tap';
import { globalId, makeData } from '../../support/data.ts';
import { openServer, startServer } from '../../support/server.ts';
import { bearer, JWT_SECRET } from '../../support/token.ts';

const production = await startServer(t, { redis: null });
await makeData(production.sql, { brands: 2, campaigns: 4, events: 6, perCampaign: 2 });
const { database } = production;
const development = await openServer(t, { database, redis: null, env: { NODE_ENV: 'development', INSPECT: 'off' } });

interface Warning {
  readonly message: string;
  readonly locations: readonly object[];
  readonly extensions: { readonly code: string };
}

const SECRET = 'a-secret-that-is-no-id';

/** A place that takes a global id: the query with the id in a literal and in a variable, and what is said of another text. */
const PLACES = {
  campaign: { query: (id: string) => `campaign(id: ${id}) { title }`, data: null, of: 'the global id of a Campaign' },
  brand: { query: (id: string) => `brand(id: ${id}) { name }`, data: null, of: 'the global id of a Brand' },
  event: { query: (id: string) => `event(id: ${id}) { title }`, data: null, of: 'the global id of a Event' },
  node: { query: (id: string) => `node(id: ${id}) { id }`, data: null, of: 'a global id' },
  nodes: { query: (id: string) => `nodes(ids: [${id}]) { id }`, data: [null], of: 'a global id' },
  events: {
    query: (id: string) => `events(campaign: ${id}) { totalCount }`,
    data: { totalCount: 0 },
    of: 'the global id of a Campaign',
  },
};

t.test('an id that can name nothing is told of in development, and what the answer is stays the same', async (t) => {
  for (const [field, { query, data, of }] of Object.entries(PLACES)) {
    for (const id of ['1', '', SECRET, 'Q2FtcGFpZ246', 'Campaign:1']) {
      const literal = `{ ${query(JSON.stringify(id))} }`;
      const variable = `query ($id: ID!) { ${query('$id')} }`;
      for (const [text, variables] of [
        [literal, undefined],
        [variable, { id }],
      ] as const) {
        const told = await development.query<Record<string, unknown>>(text, variables);
        t.same([told.status, told.errors, told.data?.[field]], [200, undefined, data], text);
        const [warning, ...more] = (told.extensions?.warnings ?? []) as Warning[];
        t.ok(
          warning?.message.includes(`expected ${of}, which the field \`id\` of a node answers.`),
          String(warning?.message),
        );
        t.equal(warning?.extensions.code, 'NOT_A_GLOBAL_ID');
        t.equal(warning?.locations.length, 1);
        t.same(more, []);
        t.notMatch(told.text, SECRET, 'what the client sent is not shown');
        const silent = await production.query<Record<string, unknown>>(text, variables);
        t.same([silent.status, silent.errors, silent.data?.[field]], [200, undefined, data]);
        t.equal(silent.extensions, undefined, 'in production nothing is said');
      }
    }
  }
});

t.test('the id of another type is told of where one type is meant, and says nothing about data', async (t) => {
  for (const number of [1, 9999]) {
    const brand = globalId('Brand', number);
    const query = `{ campaign(id: "${brand}") { title } events(campaign: "${brand}") { totalCount } }`;
    const { extensions } = await development.query(query);
    const warnings = (extensions?.warnings ?? []) as Warning[];
    t.same(
      warnings.map(({ locations }) => locations),
      ['id:', 'campaign:'].map((argument) => [{ line: 1, column: query.indexOf(argument) + 1 }]),
    );
  }
});

t.test('nothing is said of ids that may name something', async (t) => {
  const queries = [
    ...Object.entries(PLACES).map(([field, { query }]) => {
      const type = { brand: 'Brand', event: 'Event' }[field] ?? 'Campaign';
      return `{ ${query(`"${globalId(type, 1)}"`)} missing: ${query(`"${globalId(type, 9999)}"`)} }`;
    }),
    '{ campaigns(first: 1) { nodes { id } } events { totalCount } }',
    'query ($id: ID) { events(campaign: $id) { totalCount } }',
  ];
  for (const query of queries) t.equal((await development.query(query)).extensions, undefined, query);
  const field = {
    query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
    ids: [globalId('Brand', 1), globalId('Nobody', 1)],
  };
  t.equal((await development.query(field.query, { ids: field.ids })).extensions, undefined);
});

t.test('mutations say so in an error, which names the place', async (t) => {
  const env = { NODE_ENV: 'development', JWT_SECRET };
  const writing = await openServer(t, { database, redis: null, env });
  const query = 'mutation ($id: ID!) { deleteEvent(input: { id: $id }) { deletedId } }';
  const { errors, text } = await writing.query(query, { id: SECRET }, bearer());
  t.match(errors?.[0], {
    message: 'Expected the id of a node of the type Event that exists.',
    extensions: { code: 'BAD_USER_INPUT', field: 'id', reason: 'NOT_FOUND' },
  });
  t.notMatch(text, SECRET);
});
