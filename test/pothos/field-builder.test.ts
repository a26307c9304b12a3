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

t.test('a reference by the field id follows the key, not the global id', async (t) => {
  const database = await freshDatabase(t);
  await makeLibrary(openSql(t, database), { libraries: 2, shelves: 2, books: 1, perShelf: 1 });
  const larder = await createLarder({ entities, postgres: { url: database.url } });
  t.teardown(() => larder.close());
  const builder = new SchemaBuilder<{ Context: LarderContext<Repositories>; Objects: { Ticket: { id: number } } }>({
    plugins: [DataloaderPlugin, RelayPlugin, LarderPlugin],
  });
  builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
  builder.entity('Library', { fields: (t) => ({ first: t.entityReference('Shelf', { id: 'id' }) }) });
  builder.objectType('Ticket', { fields: (t) => ({ shelf: t.entityReference('Shelf', { id: 'id' }) }) });
  builder.queryType({
    fields: (t) => ({
      libraries: t.entityConnection('Library'),
      ticket: t.field({ type: 'Ticket', resolve: () => ({ id: 2 }) }),
    }),
  });
  const { data, errors } = await graphql({
    schema: builder.toSchema(),
    source: '{ libraries { nodes { id first { title } } } ticket { shelf { id title } } }',
    contextValue: larder.createContext(),
  });
  t.same(errors, undefined);
  t.match(data, {
    libraries: {
      nodes: [
        { id: encodeGlobalId('Library', '1'), first: { title: 'Shelf 1' } },
        { id: encodeGlobalId('Library', '2'), first: { title: 'Shelf 2' } },
      ],
    },
    ticket: { shelf: { id: encodeGlobalId('Shelf', '2'), title: 'Shelf 2' } },
  });
});
