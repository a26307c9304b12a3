import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import { bigintText, entity, type LarderContext, type RepositoriesOf } from 'larder';
import LarderPlugin from 'larder/pothos';

const authors = pgTable('authors', {
  id: bigintText('id').primaryKey().generatedByDefaultAsIdentity(),
  name: text('name').notNull(),
});

const books = pgTable('books', {
  id: bigintText('id').primaryKey().generatedByDefaultAsIdentity(),
  authorId: bigintText('author_id').notNull(),
  title: text('title').notNull(),
  published: timestamp('published', { withTimezone: true, precision: 6, mode: 'string' }).notNull(),
});

export const entities = {
  Author: entity(authors),
  Book: entity(books, {
    lists: { byAuthor: { parent: books.authorId, orders: { PUBLISHED: books.published, ID: null } } },
  }),
};

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
    author: t.entityReference('Author', { id: 'authorId' }),
  }),
});

builder.queryType({
  fields: (t) => ({
    authors: t.entityConnection('Author'),
    author: t.entityById('Author'),
  }),
});

export const schema = builder.toSchema();
