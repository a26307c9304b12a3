import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { graphql } from 'graphql';
import { t } from 'tap';
import LarderPlugin, { type LarderContext } from '../../src/pothos/index.ts';
import { serveSchema } from '../http/graphql/support/serve-schema.ts';
import type { Repositories } from '../support/library.ts';
import { openLibrary } from '../support/open-library.ts';

// The first three times graphql-js executes a document, and from the fourth on the executor that writes text, where it can.
const TIMES = 5;

const larder = await openLibrary(t, { libraries: 1, shelves: 3, books: 1, perShelf: 1 });

const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>({
  plugins: [DataloaderPlugin, RelayPlugin, LarderPlugin],
});
const Shelf = builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
builder.objectFields(Shelf.edge, (t) => ({
  label: t.string({ nullable: true, resolve: ({ node }) => node.title }),
  place: t.string({ nullable: true, resolve: ({ cursor }) => cursor }),
}));
builder.objectFields(Shelf.connection, (t) => ({
  size: t.int({ resolve: ({ nodes }) => nodes.length }),
  titles: t.stringList({ resolve: ({ nodes }) => nodes.map(({ title }) => title) }),
  places: t.stringList({ resolve: ({ edges }) => edges.map(({ cursor }) => cursor ?? 'nowhere') }),
  more: t.boolean({ resolve: ({ pageInfo }) => pageInfo.hasNextPage }),
  counted: t.int({ nullable: true, resolve: ({ totalCount }) => totalCount }),
}));
builder.globalConnectionField('number', (t) =>
  t.int({ resolve: ({ edges }) => [...(edges as Iterable<unknown>)].length }),
);
builder.objectField(builder.pageInfoRef(), 'next', (t) =>
  t.string({ nullable: true, resolve: ({ hasNextPage, endCursor }) => (hasNextPage ? endCursor : null) }),
);
builder.queryType({ fields: (t) => ({ shelves: t.entityConnection('Shelf') }) });
const schema = builder.toSchema();

/** What a field of one's own finds, beside what the fields of Larder say of the same page. */
const FOUND: readonly (readonly [asked: string, page: object])[] = [
  ['edges { label }', { edges: [{ label: 'Shelf 1' }, { label: 'Shelf 2' }] }],
  ['size', { size: 2 }],
  ['titles', { titles: ['Shelf 1', 'Shelf 2'] }],
  ['more', { more: true }],
  ['number', { number: 2 }],
  ['size nodes { id }', { size: 2 }],
  ['counted', { counted: null }],
  ['counted totalCount', { counted: 3, totalCount: 3 }],
];

t.test(
  "a field of one's own has the whole page before it, but for a count that the query does not ask for",
  async (t) => {
    const ask = await serveSchema(t, larder, schema);
    for (const [asked, page] of FOUND) {
      for (let i = 1; i <= TIMES; i += 1) {
        t.match(
          (await ask(`{ shelves(first: 2) { ${asked} } }`)).json(),
          { data: { shelves: page } },
          `${asked}, ${i}`,
        );
      }
    }
    const cursors = '{ shelves(first: 2) { edges { cursor } pageInfo { endCursor } } }';
    const { edges, pageInfo } = (await ask(cursors)).json().data.shelves;
    const places = edges.map(({ cursor }: { cursor: string }) => cursor);
    for (const [asked, page] of [
      ['places', { places }],
      ['edges { place }', { edges: [{ place: places[0] }, { place: places[1] }] }],
      ['pageInfo { next }', { pageInfo: { next: pageInfo.endCursor } }],
    ] as const) {
      t.match((await ask(`{ shelves(first: 2) { ${asked} } }`)).json(), { data: { shelves: page } }, asked);
    }
  },
);

t.test('without such a field, only what is selected is read', async (t) => {
  for (const asked of ['totalCount', 'nodes { id }', 'edges { cursor node { id } } pageInfo { hasNextPage }']) {
    const contextValue = larder.createContext();
    await graphql({ schema, source: `{ shelves { ${asked} } }`, contextValue });
    t.equal(contextValue.scope.trace.sql.statements, 1, `${asked}: the list alone`);
  }
});
