import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import ErrorsPlugin from '@pothos/plugin-errors';
import RelayPlugin from '@pothos/plugin-relay';
import { GraphQLError, graphql } from 'graphql';
import { t } from 'tap';
import LarderPlugin, { encodeGlobalId, type LarderContext } from '../../src/pothos/index.ts';
import { Connection } from '../../src/pothos/shapes.ts';
import { serveSchema } from '../http/graphql/support/serve-schema.ts';
import type { Repositories } from '../support/library.ts';
import { openLibrary } from '../support/open-library.ts';

const larder = await openLibrary(t, { libraries: 2, shelves: 4, books: 1, perShelf: 1 });

const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>({
  plugins: [ErrorsPlugin, DataloaderPlugin, RelayPlugin, LarderPlugin],
});
builder.objectType(GraphQLError, { name: 'Refused', fields: (t) => ({ message: t.exposeString('message') }) });
const types = [GraphQLError];
/** The plugin gives a page to fields of one's own beside it. */
const sizeOf = (page: unknown) => (page instanceof Connection ? page.nodes.length : -1);
builder.entity('Library', {
  fields: (t) => ({
    name: t.exposeString('name'),
    shelves: t.entityConnection('Shelf', { list: 'inLibrary', errors: { types } }),
  }),
});
builder.entity('Shelf', {
  fields: (t) => ({
    title: t.exposeString('title'),
    library: t.entityReference('Library', { id: 'libraryId', errors: { types } }),
  }),
});
builder.queryType({
  fields: (t) => ({
    libraries: t.entityConnection('Library', { errors: { types } }),
    direct: t.entityConnection('Shelf', { errors: { types, directResult: true } }),
    sized: t.entityConnection('Shelf', {
      errors: { types, result: { fields: (t) => ({ size: t.int({ resolve: sizeOf }) }) } },
    }),
    shelf: t.entityById('Shelf', { errors: { types } }),
  }),
});
const schema = builder.toSchema();

const shelves = (...titles: number[]) => ({ data: { nodes: titles.map((n) => ({ title: `Shelf ${n}` })) } });

t.test('a page within a type of the errors plugin has what is selected of it', async (t) => {
  const ask = await serveSchema(t, larder, schema);
  const refused = '... on Refused { message }';
  for (const [asked, expected] of [
    [
      `libraries { ${refused} ... on QueryLibrariesSuccess { data { edges { node { name } } pageInfo { hasNextPage } } } }`,
      { libraries: { data: { edges: [{ node: { name: 'Library 1' } }, {}], pageInfo: { hasNextPage: false } } } },
    ],
    [
      `libraries(first: 1) { __typename ... on QueryLibrariesSuccess { page: data { pageInfo { hasNextPage } totalCount } } }`,
      { libraries: { __typename: 'QueryLibrariesSuccess', page: { pageInfo: { hasNextPage: true }, totalCount: 2 } } },
    ],
    [
      `libraries { ...Each }`,
      { libraries: { data: { nodes: [{ shelves: shelves(2, 4) }, { shelves: shelves(1, 3) }] } } },
    ],
    [`direct { ${refused} ... on ShelfConnection { nodes { title } totalCount } }`, { direct: { totalCount: 4 } }],
    [`direct(first: 1) { ... on ShelfConnection { nodes { title } } }`, { direct: { nodes: [{ title: 'Shelf 1' }] } }],
    [`sized(first: 3) { ... on QuerySizedSuccess { size } }`, { sized: { size: 3 } }],
    [`sized(first: 500) { ${refused} }`, { sized: { message: 'Expected first to be from 0 to 100, got 500.' } }],
    [
      `shelf(id: "${encodeGlobalId('Shelf', '2')}") { ... on QueryShelfSuccess {
        data { title library { ... on ShelfLibrarySuccess { data { name } } } }
      } }`,
      { shelf: { data: { title: 'Shelf 2', library: { data: { name: 'Library 1' } } } } },
    ],
  ] as const) {
    const fragments = asked.includes('...Each')
      ? `fragment Each on QueryLibrariesSuccess { data { nodes { ...Its @include(if: true) } } }
         fragment Its on Library { shelves { ... on LibraryShelvesSuccess { data { nodes { title } } } } }`
      : '';
    for (let i = 1; i <= 5; i += 1) {
      t.match((await ask(`{ ${asked} } ${fragments}`)).json(), { data: expected, errors: undefined }, `${asked}, ${i}`);
    }
  }
});

t.test('and nothing else is read for it', async (t) => {
  for (const asked of ['totalCount', 'nodes { id }', 'edges { cursor }']) {
    const contextValue = larder.createContext();
    const source = `{ libraries { ... on Refused { message } ... on QueryLibrariesSuccess { data { ${asked} } } } }`;
    const { errors } = await graphql({ schema, source, contextValue });
    t.same(errors, undefined);
    t.equal(contextValue.scope.trace.sql.statements, 1, `${asked}: the list alone`);
  }
});

t.test('its entries cost what they cost elsewhere', async (t) => {
  const ask = await serveSchema(t, larder, schema, { maxCost: 50 });
  t.match(
    (await ask('{ libraries(first: 100) { ... on QueryLibrariesSuccess { data { nodes { name } } } } }')).json(),
    {
      errors: [{ extensions: { code: 'COST_LIMIT', cost: 1 + 1 + 100 } }],
    },
  );
});
