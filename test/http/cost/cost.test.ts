import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import {
  GraphQLEnumType,
  GraphQLInt,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
} from 'graphql';
import { t } from 'tap';
import { LIMITS } from '../../../src/http/documents/limits.ts';
import { createLarder } from '../../../src/index.ts';
import LarderPlugin, { type LarderContext } from '../../../src/pothos/index.ts';
import { entities, type Repositories } from '../../support/library.ts';
import { freshDatabase } from '../../support/services.ts';
import { serveSchema } from '../graphql/support/serve-schema.ts';

const larder = await createLarder({ entities, postgres: { url: (await freshDatabase(t)).url } });
t.teardown(() => larder.close());

const NAMES = ['A', 'B', 'C', 'D', 'E', 'F'];

/** Types that refer to each other through an interface, and how often their lists were priced. */
function recursiveSchema() {
  const priced = { times: 0 };
  const entries = () => {
    priced.times += 1;
    return 1;
  };
  const item: GraphQLInterfaceType = new GraphQLInterfaceType({
    name: 'Item',
    fields: () => ({ id: { type: GraphQLInt }, parts: { type: new GraphQLList(item) } }),
    resolveType: () => 'A',
  });
  const types = NAMES.map(
    (name) =>
      new GraphQLObjectType({
        name,
        interfaces: [item],
        fields: () => ({ id: { type: GraphQLInt }, parts: { type: new GraphQLList(item), extensions: { entries } } }),
      }),
  );
  const query = new GraphQLObjectType({ name: 'Query', fields: { item: { type: item, resolve: () => ({ id: 1 }) } } });
  return { schema: new GraphQLSchema({ query, types }), priced };
}

t.test('the types that an interface may have are priced once for a level, however deep it is', async (t) => {
  const { schema, priced } = recursiveSchema();
  const ask = await serveSchema(t, larder, schema);
  const lists = LIMITS.depth - 2;
  for (const part of ['parts', 'parts { id } parts']) {
    priced.times = 0;
    const answer = await ask(`{ item { ${`${part} { `.repeat(lists)} id ${'}'.repeat(lists)} } }`);
    t.same(answer.json(), { data: { item: { parts: null } } });
    t.equal(priced.times, lists * NAMES.length, part);
  }
});

t.test('a document whose selections differ for each way through its types is refused', async (t) => {
  const ask = await serveSchema(t, larder, recursiveSchema().schema);
  const lists = LIMITS.depth - 2;
  // For each type and level, a way through all levels that holds for this type alone at that level.
  const ways = NAMES.flatMap((name) =>
    Array.from({ length: lists }, (_, at) => {
      const steps = Array.from({ length: lists }, (_, i) => (i === at ? `... on ${name} { parts {` : '... { parts {'));
      return `${steps.join(' ')} id ${'}}'.repeat(lists)}`;
    }),
  );
  t.match((await ask(`{ item { ${ways.join(' ')} } }`)).json(), {
    errors: [{ extensions: { code: 'DOCUMENT_TOO_LARGE', limit: 'selections' } }],
  });
});

t.test('a short document is priced, however many types its interfaces have', async (t) => {
  const item: GraphQLInterfaceType = new GraphQLInterfaceType({
    name: 'Item',
    fields: () => fields,
    resolveType: () => 'T0',
  });
  const fields = { id: { type: GraphQLInt }, part: { type: item } };
  const types = Array.from(
    { length: 400 },
    (_, i) => new GraphQLObjectType({ name: `T${i}`, interfaces: [item], fields }),
  );
  const query = new GraphQLObjectType({ name: 'Query', fields: { item: { type: item, resolve: () => ({ id: 1 }) } } });
  const ask = await serveSchema(t, larder, new GraphQLSchema({ query, types }));
  const answer = await ask('{ item { part { part { part { part { id } } } } } }');
  t.same(answer.json(), { data: { item: { part: null } } });
});

t.test('a size that depends on a text is asked for anew for another text', async (t) => {
  const day = new GraphQLObjectType({ name: 'Day', fields: { id: { type: GraphQLInt } } });
  const period = new GraphQLEnumType({ name: 'Period', values: { YEAR: {}, WEEK: {} } });
  const days = {
    type: new GraphQLList(day),
    args: { period: { type: period }, of: { type: new GraphQLList(GraphQLString) } },
    extensions: {
      entries: ({ period, of = [] }: { period?: string; of?: readonly string[] }) =>
        period === 'YEAR' || of.includes('year') ? 365 : 7,
    },
  };
  const query = new GraphQLObjectType({ name: 'Query', fields: { days } });
  const ask = await serveSchema(t, larder, new GraphQLSchema({ query }), { maxCost: 100 });
  const costly = (period: string, of?: string[]) => ask(document, JSON.stringify({ period, of }));
  const document = 'query ($period: Period, $of: [String]) { days(period: $period, of: $of) { id } }';
  const fits = { data: { days: null } };
  const refused = { errors: [{ extensions: { code: 'COST_LIMIT', cost: 1 + 365 } }] };
  t.same((await costly('WEEK')).json(), fits);
  t.match((await costly('YEAR')).json(), refused);
  t.same((await costly('WEEK', ['week'])).json(), fits);
  t.match((await costly('WEEK', ['year'])).json(), refused);
});

t.test('the size of a page says nothing of lists in other objects within it', async (t) => {
  interface User {
    readonly name: string;
  }
  const builder = new SchemaBuilder<{ Context: LarderContext<Repositories>; Objects: { User: User } }>({
    plugins: [DataloaderPlugin, RelayPlugin, LarderPlugin],
  });
  const viewer = { name: 'Ada' };
  builder.objectType('User', {
    fields: (t) => ({
      name: t.exposeString('name'),
      friends: t.field({ type: ['User'], resolve: () => [viewer, viewer] }),
    }),
  });
  const Shelf = builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
  builder.objectField(Shelf.connection, 'viewer', (t) => t.field({ type: 'User', resolve: () => viewer }));
  builder.objectField(Shelf.connection, 'other', (t) =>
    t.field({ type: Shelf.connection, nullable: true, resolve: () => null }),
  );
  builder.queryType({ fields: (t) => ({ shelves: t.entityConnection('Shelf') }) });
  const ask = await serveSchema(t, larder, builder.toSchema(), { maxCost: 15 });
  for (const [asked, cost] of [
    ['viewer { friends { name } }', 1 + 20],
    ['other { nodes { title } }', 1 + 20],
  ] as const) {
    t.match((await ask(`{ shelves(first: 1) { ${asked} } }`)).json(), {
      errors: [{ extensions: { code: 'COST_LIMIT', cost: 1 + cost } }],
    });
  }
});
