import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { graphql } from 'graphql';
import { t } from 'tap';
import { createLarder } from '../../src/larder.ts';
import LarderPlugin, { encodeGlobalId, type LarderContext } from '../../src/pothos/index.ts';
import { entities, makeLibrary, type Repositories } from '../support/library.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

/** Shelves and libraries, each as a type of its own name and as a second one. */
function buildSchema() {
  const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>({
    plugins: [DataloaderPlugin, RelayPlugin, LarderPlugin],
    relay: { cursorType: 'String' },
  });
  builder.queryType({
    fields: (t) => ({
      shelf: t.entityById('Shelf'),
      sale: t.entityById('Shelf', { type: 'Sale' }),
      shelves: t.entityConnection('Shelf'),
      sales: t.entityConnection('Shelf', { type: 'Sale' }),
    }),
  });
  builder.entity('Library', { fields: (t) => ({ name: t.exposeString('name') }) });
  builder.entity('Library', {
    name: 'Seller',
    fields: (t) => ({
      label: t.exposeString('name'),
      sales: t.entityConnection('Shelf', { type: 'Sale', list: 'inLibrary' }),
    }),
  });
  builder.entity('Shelf', {
    fields: (t) => ({ title: t.exposeString('title'), library: t.entityReference('Library', { id: 'libraryId' }) }),
  });
  builder.entity('Shelf', {
    name: 'Sale',
    fields: (t) => ({
      headline: t.exposeString('title'),
      seller: t.entityReference('Library', { type: 'Seller', id: 'libraryId' }),
    }),
  });
  return builder.toSchema();
}

t.test('each of two types over one entity is itself', async (t) => {
  const database = await freshDatabase(t);
  await makeLibrary(openSql(t, database), { libraries: 2, shelves: 4, books: 1, perShelf: 1 });
  const larder = await createLarder({
    entities,
    postgres: { url: database.url },
    cache: { memoryTtlMs: 3_600_000, maxStalenessMs: 7_200_000 },
  });
  t.teardown(larder.close);
  const schema = buildSchema();
  const ask = async (source: string) => {
    const { data, errors } = await graphql({ schema, source, contextValue: larder.createContext() });
    t.equal(errors, undefined, source);
    return JSON.parse(JSON.stringify(data)) as unknown;
  };
  const [asShelf, asSale] = [encodeGlobalId('Shelf', '1'), encodeGlobalId('Sale', '1')];
  const shelf = { __typename: 'Shelf', id: asShelf, title: 'Shelf 1' };
  const sale = { __typename: 'Sale', id: asSale, headline: 'Shelf 1' };

  // The second round finds the entities in memory, with the nodes that the first has made of them.
  for (const round of ['cold', 'warm']) {
    t.same(
      await ask(`{ shelf(id: "${asShelf}") { __typename id title } sale(id: "${asSale}") { __typename id headline } }`),
      { shelf, sale },
      `by id, ${round}`,
    );
    t.same(
      await ask(`{ nodes(ids: ["${asSale}", "${asShelf}"]) {
        __typename id ... on Sale { headline } ... on Shelf { title }
      } }`),
      { nodes: [sale, shelf] },
      `by node, ${round}`,
    );
    t.same(
      await ask(`{
        shelves(first: 1) { nodes { __typename id title } }
        sales(first: 1) { nodes { __typename id headline } edges { node { __typename id headline } } }
      }`),
      { shelves: { nodes: [shelf] }, sales: { nodes: [sale], edges: [{ node: sale }] } },
      `by connection, ${round}`,
    );
    t.same(
      await ask(`{
        shelf(id: "${asShelf}") { library { __typename id name } }
        sale(id: "${asSale}") {
          seller { __typename id label sales(first: 1) { nodes { __typename id headline seller { __typename id } } } }
        }
      }`),
      {
        shelf: { library: { __typename: 'Library', id: encodeGlobalId('Library', '2'), name: 'Library 2' } },
        sale: {
          seller: {
            ...{ __typename: 'Seller', id: encodeGlobalId('Seller', '2'), label: 'Library 2' },
            sales: { nodes: [{ ...sale, seller: { __typename: 'Seller', id: encodeGlobalId('Seller', '2') } }] },
          },
        },
      },
      `by reference, ${round}`,
    );
  }

  t.same(
    await ask(`{ sale(id: "${asShelf}") { id } shelf(id: "${asSale}") { id } }`),
    { sale: null, shelf: null },
    'the id of the one names nothing of the other',
  );
});
