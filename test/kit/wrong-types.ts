import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { sql } from 'drizzle-orm';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import type { LarderContext, RepositoriesOf } from 'larder';
import { bigintText, condition, createLarder, entity } from 'larder';
import LarderPlugin from 'larder/pothos';

/** What the compiler must refuse: each line below an expectation is an error, or the check of types fails. */
const authors = pgTable('authors', { id: bigintText('id').primaryKey(), name: text('name').notNull() });
const books = pgTable('books', {
  id: bigintText('id').primaryKey(),
  authorId: bigintText('author_id').notNull(),
  pages: integer('pages'),
  tags: text('tags').array(),
});

// @ts-expect-error a key of another table
entity(authors, { key: books.id });
// @ts-expect-error a parent that is a column of another table
entity(authors, { lists: { byBook: { parent: books.authorId } } });
// @ts-expect-error an order by a column of another table
entity(authors, { lists: { all: { orders: { BOOK: books.authorId } } } });
// @ts-expect-error the same, descending
entity(authors, { lists: { all: { orders: { BOOK: { desc: books.authorId } } } } });
// @ts-expect-error the same, among several
entity(authors, { lists: { all: { orders: { BOOK: [authors.name, books.authorId] } } } });
// @ts-expect-error no such place of NULL
entity(books, { lists: { all: { orders: { PAGES: { asc: books.pages, nulls: 'middle' } } } } });
// @ts-expect-error two directions
entity(books, { lists: { all: { orders: { PAGES: { asc: books.pages, desc: books.pages } } } } });
// @ts-expect-error orders, misspelt, would be ignored
entity(books, { lists: { byAuthor: { parent: books.authorId, order: { PAGES: books.pages } } } });
// @ts-expect-error filters, misspelt, of a list over another table
entity(authors, { lists: { written: { from: books, parent: books.id, id: books.authorId, filter: {} } } });
// @ts-expect-error nulls, misspelt
entity(books, { lists: { all: { orders: { PAGES: { desc: books.pages, null: 'last' } } } } });
// @ts-expect-error the same, among several
entity(books, { lists: { all: { orders: { PAGES: [books.authorId, { desc: books.pages, null: 'last' }] } } } });
// @ts-expect-error a filter by a column of another table
entity(authors, { lists: { all: { filters: { book: { eq: books.id } } } } });
// @ts-expect-error no such operator
entity(books, { lists: { all: { filters: { pages: { like: books.pages } } } } });
// @ts-expect-error two operators
entity(books, { lists: { all: { filters: { pages: { gt: books.pages, lt: books.pages } } } } });
// @ts-expect-error the beginning of what is no text
entity(books, { lists: { all: { filters: { pages: { startsWith: books.pages } } } } });
const odd = condition(books, 'integer', (book) => sql`${book.pages} % 2 = 1`);
// @ts-expect-error a condition on another table
entity(authors, { lists: { all: { filters: { odd } } } });
// @ts-expect-error a column that the table has not
condition(authors, 'integer', (author) => sql`${author.pages} % 2 = 1`);
// @ts-expect-error a list over another table that does not say where the entity's id is
entity(authors, { lists: { written: { from: books, parent: books.authorId } } });

const entities = {
  Author: entity(authors, { lists: { all: { orders: { ID: null, NAME: authors.name } } } }),
  Book: entity(books, {
    lists: {
      byAuthor: {
        parent: books.authorId,
        filters: {
          longerThan: { gt: books.pages },
          tags: { contains: books.tags },
          untold: { isNull: books.pages },
          odd: condition(books, 'integer', (book, value) => sql`${book.pages} % 2 = ${value}`),
        },
      },
    },
  }),
};

/** Never called: types alone are looked at. */
export async function repositories() {
  const larder = await createLarder({ entities, postgres: { url: 'postgres://localhost/x' } });
  const { Author, Book } = larder.repositories;
  // @ts-expect-error no such entity
  larder.repositories.Venue;
  // @ts-expect-error a field that an author has not
  await Author.create({ title: 'x' });
  // @ts-expect-error a value of another type
  await Author.update('1', { name: 1 });
  // @ts-expect-error no such list
  Book.listOf('byTitle');
  // @ts-expect-error a column that may not be null is not set to null
  await Author.update('1', { name: null });
  // @ts-expect-error an id is no number
  await Author.findById(1);
  return (await Author.findById('1'))?.name;
}

const builder = new SchemaBuilder<{ Context: LarderContext<RepositoriesOf<typeof entities>> }>({
  plugins: [RelayPlugin, DataloaderPlugin, LarderPlugin],
});

/** Exported, as are its types: each needs a name that a project can give them in its declarations. */
export const Author = builder.entity('Author', {
  fields: (t) => ({
    name: t.exposeString('name'),
    // @ts-expect-error a field that an author has not
    title: t.exposeString('title'),
    books: t.entityConnection('Book', { list: 'byAuthor', order: 'ID' }),
    // @ts-expect-error no such list
    wrongList: t.entityConnection('Book', { list: 'byTitle' }),
    // @ts-expect-error no such order of that list
    wrongOrder: t.entityConnection('Book', { list: 'byAuthor', order: 'NAME' }),
    filtered: t.entityConnection('Book', {
      args: { longerThan: t.arg.int(), tag: t.arg.string(), untold: t.arg.boolean() },
      source: (author, { longerThan, tag, untold }) => ({
        list: 'byAuthor',
        parent: author.databaseId,
        order: 'ID',
        filters: { longerThan, untold, tags: tag == null ? null : [tag], odd: 1 },
      }),
    }),
    wrongFilter: t.entityConnection('Book', {
      // @ts-expect-error no such filter
      source: (author) => ({ list: 'byAuthor', parent: author.databaseId, order: 'ID', filters: { title: 'x' } }),
    }),
    wrongValue: t.entityConnection('Book', {
      // @ts-expect-error a value of another type
      source: (author) => ({ list: 'byAuthor', parent: author.databaseId, order: 'ID', filters: { longerThan: 'x' } }),
    }),
    otherOrder: t.entityConnection('Book', {
      // @ts-expect-error no such order
      source: (author) => ({ list: 'byAuthor', parent: author.databaseId, order: 'NAME' }),
    }),
    // @ts-expect-error a list without its parent
    noParent: t.entityConnection('Book', { source: () => ({ list: 'byAuthor', order: 'ID' }) }),
    maybeNoParent: t.entityConnection('Book', {
      // @ts-expect-error a parent that may be missing
      source: (author) => ({
        list: 'byAuthor',
        parent: author.name === '' ? undefined : author.databaseId,
        order: 'ID',
      }),
    }),
    wrongParent: t.entityConnection('Book', {
      // @ts-expect-error a parent for a list without one, which would answer with the books of all
      source: (author) => ({ list: 'all', parent: author.databaseId, order: 'ID' }),
    }),
    ofNone: t.entityConnection('Book', { source: () => ({ list: 'byAuthor', parent: null, order: 'ID' }) }),
    // @ts-expect-error no such entity
    wrongEntity: t.entityConnection('Venue'),
    // @ts-expect-error no such direction
    wrongDirection: t.entityConnection('Book', { list: 'byAuthor', direction: 'UP' }),
    // @ts-expect-error no such list, by a function that says which
    wrongSource: t.entityConnection('Book', { source: () => ({ list: 'byTitle', order: 'ID' }) }),
    // @ts-expect-error no such entity
    wrongById: t.entityById('Venue'),
    // @ts-expect-error a field that an author has not
    wrongId: t.entityReference('Book', { id: 'bookId' }),
  }),
});

export const { ref, edge, connection } = Author;

// @ts-expect-error no such entity
builder.entity('Venue', { fields: () => ({}) });
