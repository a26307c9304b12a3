import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import type { LarderContext, RepositoriesOf } from 'larder';
import LarderPlugin from 'larder/pothos';
import type { entities } from './entities.ts';

const builder = new SchemaBuilder<{ Context: LarderContext<RepositoriesOf<typeof entities>> }>({
  plugins: [RelayPlugin, DataloaderPlugin, LarderPlugin],
});

builder.entity('Author', {
  fields: (t) => ({
    name: t.exposeString('name'),
    books: t.entityConnection('Book', { list: 'byAuthor', order: 'PUBLISHED', direction: 'DESC' }),
  }),
});

builder.entity('Book', {
  fields: (t) => ({
    title: t.exposeString('title'),
    published: t.exposeString('published'),
    author: t.entityReference('Author', { id: 'authorId' }),
  }),
});

builder.queryType({
  fields: (t) => ({
    authors: t.entityConnection('Author'),
    author: t.entityById('Author'),
    book: t.entityById('Book'),
  }),
});

export const schema = builder.toSchema();
