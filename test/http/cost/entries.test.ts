import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin, { resolveArrayConnection } from '@pothos/plugin-relay';
import { GraphQLInt, GraphQLList, GraphQLObjectType, GraphQLSchema, isObjectType } from 'graphql';
import { t } from 'tap';
import { describeCosts } from '../../../src/http/index.ts';
import { createLarder } from '../../../src/index.ts';
import LarderPlugin, { type LarderContext } from '../../../src/pothos/index.ts';
import { entities, type Repositories } from '../../support/library.ts';
import { freshDatabase } from '../../support/services.ts';
import { serveSchema } from '../graphql/support/serve-schema.ts';

const larder = await createLarder({ entities, postgres: { url: (await freshDatabase(t)).url } });
t.teardown(() => larder.close());

t.test('what a client asks of one list pays for no other', async (t) => {
  const tag = new GraphQLObjectType({ name: 'Tag', fields: { id: { type: GraphQLInt } } });
  const sized = (entries: (args: { first?: number }) => unknown) => ({
    type: new GraphQLList(tag),
    args: { first: { type: GraphQLInt } },
    extensions: { entries },
  });
  const query = new GraphQLObjectType({
    name: 'Query',
    fields: {
      asked: sized(({ first }) => first ?? 20),
      atMost: sized(({ first }) => Math.min(first as number, 50)),
      unsaid: sized(({ first }) => first),
    },
  });
  const ask = await serveSchema(t, larder, new GraphQLSchema({ query }), { maxCost: 50 });
  for (const [free, cost] of [
    ['asked(first: -100000)', 1],
    ['atMost(first: -100000)', 1],
    ['atMost', 1 + 20],
    ['unsaid', 1 + 20],
  ] as const) {
    t.match((await ask(`{ free: ${free} { id } asked(first: 100) { id } }`)).json(), {
      errors: [{ extensions: { code: 'COST_LIMIT', cost: cost + 1 + 100, path: ['asked'], argument: 'first' } }],
    });
    t.match((await ask(`{ ${free} { id } }`)).json(), { data: {} });
  }
});

t.test("a connection of one's own has as many entries as it is asked for", async (t) => {
  const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>({
    plugins: [DataloaderPlugin, RelayPlugin, LarderPlugin],
  });
  builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
  const Tag = builder.objectRef<{ name: string }>('Tag').implement({
    fields: (t) => ({ name: t.exposeString('name') }),
  });
  builder.queryType({
    fields: (t) => ({
      tags: t.connection({
        type: Tag,
        resolve: (_root, args) => resolveArrayConnection({ args }, [{ name: 'new' }]),
      }),
    }),
  });
  const schema = describeCosts(builder.toSchema());
  const ask = await serveSchema(t, larder, schema, { maxCost: 50 });
  const page = '{ edges { cursor node { name } } }';
  for (const size of ['first: 100', 'last: 100']) {
    t.match((await ask(`{ tags(${size}) ${page} }`)).json(), {
      errors: [{ extensions: { code: 'COST_LIMIT', path: ['tags'], argument: size.slice(0, -5) } }],
    });
  }
  const given = 'query ($first: Int) { tags(first: $first) { edges { node { name } } } }';
  t.match((await ask(given, '{"first":100}')).json(), { errors: [{ extensions: { code: 'COST_LIMIT' } }] });
  t.match((await ask(given, '{"first":5}')).json(), { data: { tags: { edges: [{ node: { name: 'new' } }] } } });
  const type = schema.getType('QueryTagsConnection');
  const edges = isObjectType(type) ? type.getFields().edges : undefined;
  t.equal(edges?.description, 'Cost: 1 for each entry.');
});
