import { t } from 'tap';
import { EXAMPLE_QUERY } from '../../../src/app/example-query.ts';
import { buildGraphQLSchema } from '../../../src/app/schema.ts';
import { systemClock } from '../../../src/clock.ts';
import { createDocuments } from '../../../src/http/documents/documents.ts';
import { createPlans } from '../../../src/http/documents/plans.ts';
import { createSplicer } from '../../../src/http/splice/splice.ts';

const schema = buildGraphQLSchema();
const operationOf = createDocuments(schema, 10_000, systemClock);
const planOf = createPlans();

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
  t.equal(plans.filter(({ mayBeSpliced }) => mayBeSpliced).length, 16, 'the others are never planned');
  for (const [bits, { definition }] of again.entries()) {
    t.equal(definition.selectionSet.selections.length, bits.toString(2).replaceAll('0', '').length, 'all are cut');
  }
});
