import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { graphql } from 'graphql';
import { t } from 'tap';
import LarderPlugin, { encodeGlobalId, type LarderContext } from '../../src/pothos/index.ts';
import type { Repositories } from '../support/library.ts';

/** Each way to an entity from what is none. */
function schemaOfLibraries() {
  const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>({
    plugins: [RelayPlugin, DataloaderPlugin, LarderPlugin],
  });
  const Library = builder.entity('Library', { fields: (t) => ({ name: t.exposeString('name') }) });
  const Own = builder.objectRef<{ readonly libraryId: string }>('Own').implement({
    fields: (t) => ({ library: t.entityReference('Library', { id: 'libraryId' }) }),
  });
  builder.queryType({
    fields: (t) => ({
      byId: t.entityById('Library'),
      listed: t.entityConnection('Library'),
      chosen: t.entityConnection('Library', { source: () => ({ list: 'all', order: 'ID' }) }),
      ofOwn: t.field({ type: Library.ref, resolve: () => '1' }),
      own: t.field({ type: Own, resolve: () => ({ libraryId: '1' }) }),
    }),
  });
  return builder.toSchema();
}

t.test('a context that createContext() has not made is named, wherever it is met', async (t) => {
  const schema = schemaOfLibraries();
  const id = encodeGlobalId('Library', '1');
  const fields = [
    ...[`byId(id: "${id}") { name }`, 'listed { totalCount }', 'chosen { nodes { id } }', 'ofOwn { name }'],
    ...[
      'own { library { name } }',
      'own { library { id } }',
      `node(id: "${id}") { id }`,
      `nodes(ids: ["${id}"]) { id }`,
    ],
  ];
  for (const contextValue of [undefined, {}, { user: 'ada' }, { repositories: {} }]) {
    for (const field of fields) {
      const { errors } = await graphql({ schema, source: `{ ${field} }`, contextValue });
      const said = 'Expected the context of a Larder that has Library: make it with createContext().';
      t.strictSame(
        errors?.map(({ message }) => message),
        [said],
        `${JSON.stringify(contextValue)}: ${field}`,
      );
    }
  }
});
