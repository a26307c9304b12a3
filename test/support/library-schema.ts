import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import type { GraphQLSchema } from 'graphql';
import LarderPlugin, { type LarderContext } from '../../src/pothos/index.ts';
import type { Repositories } from './library.ts';

/** @returns the library's schema, of a builder of its own: each entity by id and as a list, and those within it */
export function librarySchema(): GraphQLSchema {
  const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>({
    plugins: [RelayPlugin, DataloaderPlugin, LarderPlugin],
  });
  builder.entity('Library', {
    fields: (t) => ({ name: t.exposeString('name'), shelves: t.entityConnection('Shelf', { list: 'inLibrary' }) }),
  });
  builder.entity('Shelf', {
    fields: (t) => ({
      title: t.exposeString('title'),
      body: t.exposeString('body'),
      library: t.entityReference('Library', { id: 'libraryId' }),
      books: t.entityConnection('Book', { list: 'onShelf' }),
    }),
  });
  builder.entity('Book', {
    fields: (t) => ({
      title: t.exposeString('title'),
      publishedAt: t.exposeString('publishedAt'),
      shelves: t.entityConnection('Shelf', { list: 'withBook' }),
    }),
  });
  builder.queryType({
    fields: (t) => ({
      library: t.entityById('Library'),
      libraries: t.entityConnection('Library'),
      shelf: t.entityById('Shelf'),
      shelves: t.entityConnection('Shelf'),
      book: t.entityById('Book'),
      books: t.entityConnection('Book'),
    }),
  });
  return builder.toSchema();
}
