import { readFileSync } from 'node:fs';
import { bigint, pgSchema, pgTable, text } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { bigintText, createLarder, entity } from '../../src/index.ts';

const authors = pgTable('authors', { id: bigintText('id').primaryKey(), name: text('name').notNull() });
const books = pgTable('books', { id: bigintText('id').primaryKey(), authorId: bigintText('author_id').notNull() });
const shelved = pgTable('shelved', { bookId: bigintText('book_id').notNull(), shelfId: bigintText('shelf_id') });
const keyless = pgTable('keyless', { id: bigintText('id').notNull() });
const nameless = pgTable('nameless', { name: text('name').primaryKey() });
const nodes = pgTable('nodes', { id: bigintText('id').primaryKey(), databaseId: bigint('old', { mode: 'number' }) });
const elsewhere = pgSchema('elsewhere').table('authors', { id: bigintText('id').primaryKey() });

/** What somebody may write whom no compiler tells. */
const anything = (table: unknown, options?: unknown) => entity(table as typeof books, options as object);

/** What the error says before it names the page; entities that are wrong, by what is wrong with them. */
const WRONG: Readonly<Record<string, [says: string, entities: Record<string, ReturnType<typeof anything>>]>> = {
  'a column that is not there': [
    'Book.byAuthor: expected parent to be a column of books, got undefined.',
    { Book: anything(books, { lists: { byAuthor: { parent: (books as { autorId?: unknown }).autorId } } }) },
  ],
  'a parent of another table': [
    'Book.byAuthor: expected parent to be a column of books, got authors.name.',
    { Book: anything(books, { lists: { byAuthor: { parent: authors.name } } }) },
  ],
  'a parent that is a text': [
    'Book.byAuthor: expected parent to be a column of books, got a string.',
    { Book: anything(books, { lists: { byAuthor: { parent: 'author_id' } } }) },
  ],
  'an order by a column of another table': [
    'Book.all: expected the order NAME to be a column of books, got authors.name.',
    { Book: anything(books, { lists: { all: { orders: { NAME: authors.name } } } }) },
  ],
  'an order by a column that is not there': [
    'Book.all: expected the order NAME to be a column of books, got undefined.',
    { Book: anything(books, { lists: { all: { orders: { NAME: undefined } } } }) },
  ],
  'a list without orders': [
    'Book.all: expected at least one order, got none.',
    { Book: anything(books, { lists: { all: { orders: {} } } }) },
  ],
  'a filter by a column that is not there': [
    'Book.all: expected range to be a column of books, got undefined.',
    { Book: anything(books, { lists: { all: { range: undefined } } }) },
  ],
  'a list over another table that does not say where ids are': [
    'Book.onShelf: expected id to be a column of shelved, got books.id.',
    { Book: anything(books, { lists: { onShelf: { from: shelved, parent: shelved.shelfId } } }) },
  ],
  'a list over what is no table': [
    'Book.onShelf: expected from to be a table, got a string.',
    { Book: anything(books, { lists: { onShelf: { from: 'shelved' } } }) },
  ],
  'a table without a primary key': [
    'Book: expected keyless to have the primary key id, got a column that is no primary key.',
    { Book: anything(keyless) },
  ],
  'a table without a column id': [
    'Book: expected nameless to have the primary key id, got no column of that name.',
    { Book: anything(nameless) },
  ],
  "the name of another's pages": [
    'AuthorEdge: expected a name of its own, got that of the pages of Author.',
    { AuthorEdge: anything(books), Author: anything(authors) },
  ],
  'a name that Relay has taken': [
    'Node: expected the name of an entity, got one that GraphQL or Relay have taken.',
    { Node: anything(books) },
  ],
  'a name that GraphQL does not take': [
    'My:Book: expected the name of an entity: letters, digits and _, no digit first and no two _, got "My:Book".',
    { 'My:Book': anything(books) },
  ],
  'a list of such a name': [
    'Book.by-author: expected the name of a list: letters, digits and _, no digit first and no two _, got "by-author".',
    { Book: anything(books, { lists: { 'by-author': { parent: books.authorId } } }) },
  ],
  'an order of such a name': [
    'Book.all.__id: expected the name of an order: letters, digits and _, no digit first and no two _, got "__id".',
    { Book: anything(books, { lists: { all: { orders: { __id: null } } } }) },
  ],
  'a field that nodes have': [
    'Node1: expected a field name that is free for nodes, got databaseId, which nodes have.',
    { Node1: anything(nodes) },
  ],
};

const page = readFileSync(new URL('../../docs/your-tables.md', import.meta.url), 'utf8');
const sections = [...page.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-'));

for (const [what, [says, entities]] of Object.entries(WRONG)) {
  t.test(`${what} is said when a Larder opens`, async (t) => {
    const opening = createLarder({ entities, postgres: { url: 'postgres://127.0.0.1:1/nowhere' } });
    const error = await opening.catch((error: unknown) => error);
    if (!(error instanceof TypeError)) throw error;
    const [, said, section = ''] = /^(.+) See docs\/your-tables\.md#([a-z-]+)\.$/.exec(error.message) ?? [];
    t.equal(said, says);
    t.ok(sections.includes(section), `${section} is a section of the page`);
  });
}

t.test('several entities may be of one table', async (t) => {
  const entities = { Author: anything(authors), Writer: anything(authors), Elsewhere: anything(elsewhere) };
  const larder = await createLarder({ entities, postgres: { url: 'postgres://127.0.0.1:1/nowhere' } });
  t.same(Object.keys(larder.repositories), Object.keys(entities));
  await larder.close();
});
