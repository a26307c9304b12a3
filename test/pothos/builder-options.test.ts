import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { graphql } from 'graphql';
import { t } from 'tap';
import { createLarder } from '../../src/larder.ts';
import LarderPlugin, { type LarderContext } from '../../src/pothos/index.ts';
import { entities, makeLibrary, type Repositories } from '../support/library.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const plugins = [DataloaderPlugin, RelayPlugin, LarderPlugin] as ('larder' | 'relay' | 'dataloader')[];

const database = await freshDatabase(t);
await makeLibrary(openSql(t, database), { libraries: 1, shelves: 2, books: 1, perShelf: 1 });
const larder = await createLarder({ entities, postgres: { url: database.url } });
t.teardown(() => larder.close());

t.test('a page needs no argument where arguments are required by default', async (t) => {
  const builder = new SchemaBuilder<{ Context: LarderContext<Repositories>; DefaultInputFieldRequiredness: true }>({
    plugins,
    defaultInputFieldRequiredness: true,
  });
  builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
  builder.queryType({ fields: (t) => ({ shelves: t.entityConnection('Shelf') }) });
  const schema = builder.toSchema();
  const { data, errors } = await graphql({
    schema,
    source: '{ shelves { nodes { title } } last: shelves(last: 1) { nodes { title } } }',
    contextValue: larder.createContext(),
  });
  t.same(errors, undefined);
  t.match(data, {
    shelves: { nodes: [{ title: 'Shelf 1' }, { title: 'Shelf 2' }] },
    last: { nodes: [{ title: 'Shelf 2' }] },
  });
});
