import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { t } from 'tap';
import LarderPlugin, { type LarderContext } from '../../../src/pothos/index.ts';
import type { Repositories } from '../../support/library.ts';
import { openLibrary } from '../../support/open-library.ts';
import { serveSchema } from './support/serve-schema.ts';

const larder = await openLibrary(t, { libraries: 2, shelves: 4, books: 1, perShelf: 1 });

t.test('the parent of what the root lists is an object each time', async (t) => {
  const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>({
    plugins: [DataloaderPlugin, RelayPlugin, LarderPlugin],
  });
  /** Lists the shelves of an entity, or all. */
  const source = ({ databaseId }: { readonly databaseId?: string }) =>
    databaseId === undefined
      ? ({ list: 'all', order: 'ID' } as const)
      : ({ list: 'inLibrary', parent: databaseId, order: 'ID' } as const);
  builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
  builder.entity('Library', { fields: (t) => ({ shelves: t.entityConnection('Shelf', { source }) }) });
  builder.queryType({
    fields: (t) => ({
      libraries: t.entityConnection('Library'),
      shelves: t.entityConnection('Shelf', { source: (root) => source(root as object) }),
    }),
  });
  const ask = await serveSchema(t, larder, builder.toSchema());
  // Of these, graphql-js executes the second each time, without mercurius.
  for (const which of ['', ' @include(if: true)']) {
    for (let i = 0; i < 6; i += 1) {
      const answer = await ask(`{ shelves${which} { totalCount } libraries { nodes { shelves { totalCount } } } }`);
      t.same(answer.json(), {
        data: {
          shelves: { totalCount: 4 },
          libraries: { nodes: [{ shelves: { totalCount: 2 } }, { shelves: { totalCount: 2 } }] },
        },
      });
    }
  }
});
