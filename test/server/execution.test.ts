import { compileQuery, isCompiledQuery } from 'graphql-jit';
import { t } from 'tap';
import { EXAMPLE_QUERY } from '../../src/app/example-query.ts';
import { buildGraphQLSchema } from '../../src/app/schema.ts';
import { systemClock } from '../../src/clock.ts';
import { createDocuments } from '../../src/server/documents.ts';

// Mercurius executes what it cannot compile without a word, several times slower.
t.test('prepared documents can be compiled', async (t) => {
  const schema = buildGraphQLSchema();
  const operationOf = createDocuments(schema, 10_000, systemClock);
  const documents = [
    EXAMPLE_QUERY,
    'query ($id: ID!) { campaign(id: $id) { ...Named } } fragment Named on Campaign { title brand { name } }',
    'query ($ids: [ID!]!, $some: Boolean!) { nodes(ids: $ids) { id ... on Event @include(if: $some) { startsAt } } }',
    'mutation ($input: UpdateEventInput!) { updateEvent(input: $input) { event { title } } }',
  ];
  for (const text of documents) {
    const { document } = await operationOf(text, null);
    t.ok(isCompiledQuery(compileQuery(schema, structuredClone(document))), text);
  }
});
