import { index, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import { bigintText } from 'larder';

export const authors = pgTable('authors', {
  id: bigintText('id').primaryKey().generatedByDefaultAsIdentity(),
  name: text('name').notNull(),
});

export const books = pgTable(
  'books',
  {
    id: bigintText('id').primaryKey().generatedByDefaultAsIdentity(),
    authorId: bigintText('author_id')
      .notNull()
      .references(() => authors.id, { onDelete: 'cascade' }),
    title: text('title').notNull(),
    published: timestamp('published', { withTimezone: true, precision: 6, mode: 'string' }).notNull(),
  },
  // Each order of a list has an index over the parent, the column and the id.
  (t) => [index('books_by_published').on(t.authorId, t.published, t.id), index('books_by_id').on(t.authorId, t.id)],
);
