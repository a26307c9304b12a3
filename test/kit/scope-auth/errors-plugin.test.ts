import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import ErrorsPlugin from '@pothos/plugin-errors';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import { GraphQLError } from 'graphql';
import { t } from 'tap';
import { createLarder } from '../../../src/index.ts';
import LarderPlugin from '../../../src/pothos/index.ts';
import { Connection } from '../../../src/pothos/shapes.ts';
import { entities, makeLibrary } from '../../support/library.ts';
import { freshDatabase } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';
import { served, type Types } from './served.ts';

/** Shows pages that are the last of their list. */
const isLast = (page: unknown) => page instanceof Connection && !page.pageInfo.hasNextPage;

t.test('scopes of the type or the field in which the errors plugin shows a page get all of it', async (t) => {
  const database = await freshDatabase(t);
  await makeLibrary(openSql(t, database), { libraries: 2, shelves: 2, books: 1, perShelf: 1 });
  const larder = await createLarder({ entities, postgres: { url: database.url } });
  t.teardown(larder.close);
  const builder = new SchemaBuilder<Types>({
    plugins: [ScopeAuthPlugin, ErrorsPlugin, RelayPlugin, DataloaderPlugin, LarderPlugin],
    scopeAuth: { authScopes: ({ staff, admin }) => ({ staff, admin }) },
  });
  builder.objectType(GraphQLError, { name: 'Refused', fields: (t) => ({ message: t.exposeString('message') }) });
  builder.entity('Library', { fields: (t) => ({ name: t.exposeString('name') }) });
  const types = [GraphQLError];
  builder.queryType({
    fields: (t) => ({
      ofType: t.entityConnection('Library', { errors: { types, result: { authScopes: isLast } } }),
      ofField: t.entityConnection('Library', { errors: { types, dataField: { authScopes: isLast } } }),
    }),
  });
  const ask = await served(t, larder, builder.toSchema());
  for (const [field, type] of [
    ['ofType', 'QueryOfTypeSuccess'],
    ['ofField', 'QueryOfFieldSuccess'],
  ] as const) {
    const last = (first: number) => ask(`{ ${field}(first: ${first}) { ... on ${type} { data { totalCount } } } }`);
    t.same((await last(1)).data, { [field]: null });
    t.same((await last(2)).data, { [field]: { data: { totalCount: 2 } } });
  }
});
