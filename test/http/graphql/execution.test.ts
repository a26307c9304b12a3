import { parse, separateOperations } from 'graphql';
import { t } from 'tap';
import { EXAMPLE_QUERY } from '../../../src/app/example-query.ts';
import { buildGraphQLSchema } from '../../../src/app/schema.ts';
import { systemClock } from '../../../src/clock.ts';
import { createCompiler } from '../../../src/http/documents/compile.ts';
import { createDocuments } from '../../../src/http/documents/documents.ts';
import { createPlans } from '../../../src/http/documents/plans.ts';
import { createSplicer } from '../../../src/http/splice/splice.ts';

const schema = buildGraphQLSchema();
const operationOf = createDocuments(schema, 10_000, systemClock);
const planOf = createPlans();
const compile = createCompiler(schema);

// What cannot be compiled is executed without a word, several times slower.
t.test('prepared documents can be compiled', async (t) => {
  const documents = [
    EXAMPLE_QUERY,
    'query ($id: ID!) { campaign(id: $id) { ...Named } } fragment Named on Campaign { title brand { name } }',
    'query ($ids: [ID!]!, $some: Boolean!) { nodes(ids: $ids) { id ... on Event @include(if: $some) { startsAt } } }',
    'mutation ($input: UpdateEventInput!) { updateEvent(input: $input) { event { title } } }',
    'query ($a: Boolean!) { first_page: campaigns { nodes { the_id: id } } x_y: events @skip(if: $a) { totalCount } }',
  ];
  for (const text of documents) {
    t.ok(compile(planOf(await operationOf(text, null), { some: true, a: true })), text);
  }
});

t.test('queries of entities alone are written as text', async (t) => {
  const splice = createSplicer(schema);
  const spliced = async (text: string) => splice(planOf(await operationOf(text, null), { some: true })) !== null;
  const nodes = '{ nodes { id ...F } edges { cursor node { title } } pageInfo { endCursor } totalCount __typename }';
  const fragment = 'fragment F on Campaign { title brand { name } events(first: 2) { nodes { startsAt } } }';
  t.ok(await spliced(EXAMPLE_QUERY));
  t.ok(await spliced(`query ($some: Boolean!) { campaigns @include(if: $some) ${nodes} } ${fragment}`));
  t.ok(await spliced('query ($id: ID!) { __typename campaign(id: $id) { title } brand(id: $id) { name } }'));
  for (const other of [
    '{ node(id: "none") { id } }',
    '{ campaigns { nodes { ... on Node { id } } } nodes(ids: []) { id } }',
    'mutation ($input: UpdateEventInput!) { updateEvent(input: $input) { event { title } } }',
  ]) {
    t.notOk(await spliced(other), other);
  }
});

t.test('what the compiler would mix up is not compiled', async (t) => {
  const documents = [
    '{ events_x: events { nodes { id } } x: campaign(id: "a") { events { totalCount } } }',
    '{ events_Campaign_idx0_nodes: events { nodes { id } } nodes(ids: []) { ... on Campaign { events { totalCount } } } }',
    '{ __proto__: brands { totalCount } }',
    '{ campaigns { nodes { constructor: title } } }',
  ];
  for (const text of documents) t.equal(compile(planOf(await operationOf(text, null), {})), null, text);
});

t.test('a document has a bounded number of cuts that are remembered', async (t) => {
  const flags = Array.from({ length: 6 }, (_, i) => `f${i}`);
  const fields = flags.map((flag) => `${flag}: __typename @include(if: $${flag})`).join(' ');
  const operation = await operationOf(
    `query (${flags.map((flag) => `$${flag}: Boolean!`).join(' ')}) { ${fields} }`,
    null,
  );
  const variables = Array.from({ length: 64 }, (_, bits) =>
    Object.fromEntries(flags.map((flag, i) => [flag, ((bits >> i) & 1) === 1])),
  );
  const plans = variables.map((values) => planOf(operation, values));
  const again = variables.map((values) => planOf(operation, values));
  t.equal(plans.filter((plan, i) => plan === again[i]).length, 16);
  t.equal(plans.filter(({ isCompilable }) => isCompilable).length, 16, 'the others are never compiled');
  for (const [bits, { definition }] of again.entries()) {
    t.equal(definition.selectionSet.selections.length, bits.toString(2).replaceAll('0', '').length, 'all are cut');
  }
});

t.test('no value of a document is written into code', (t) => {
  const text = '__MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74d0,globalThis.injected=1';
  for (const [source] of [[`{ campaign(id: "${text}") { id } }`], [`{ nodes(ids: ["${text}"]) { id } }`]] as const) {
    for (const document of Object.values(separateOperations(parse(source)))) {
      const [definition] = document.definitions;
      if (definition?.kind !== 'OperationDefinition') throw new Error('Expected an operation.');
      const query = compile({ definition, fragments: [] });
      t.ok(query);
      t.equal('injected' in globalThis, false);
      let given: unknown;
      const repositories = new Proxy({}, { get: () => ({ findByIds: async (ids: unknown) => (given = ids) }) });
      // Whatever resolvers make of it: the text has no id in it.
      query?.({ repositories, scope: {} }, {});
      t.equal('injected' in globalThis, false, 'not when it runs either');
      t.equal(given, undefined);
    }
  }
  t.end();
});
