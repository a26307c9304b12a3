import { readFileSync } from 'node:fs';
import { bigint, date, json, pgSchema, pgTable, point, text } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { bigintText, createLarder, entity, InvalidInput } from '../../src/index.ts';

const authors = pgTable('authors', { id: bigintText('id').primaryKey(), name: text('name').notNull() });
const tagged = pgTable('tagged', { id: text('id').primaryKey(), tags: text('tags').array().notNull() });
const placed = pgTable('placed', {
  id: text('id').primaryKey(),
  data: json('data'),
  at: point('at'),
  name: text('name'),
});
const books = pgTable('books', { id: bigintText('id').primaryKey(), authorId: bigintText('author_id').notNull() });
const shelved = pgTable('shelved', { bookId: bigintText('book_id').notNull(), shelfId: bigintText('shelf_id') });
const keyless = pgTable('keyless', { id: bigintText('id').notNull() });
const numbered = pgTable('numbered', { id: text('id'), number: bigintText('number').primaryKey() });
const daily = pgTable('daily', { day: date('day').primaryKey() });
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
  'an order by an array': [
    'Tagged.all: expected a column that is no array for the order TAGS, got tags.',
    { Tagged: anything(tagged, { lists: { all: { orders: { TAGS: tagged.tags } } } }) },
  ],
  'an order by a type that has none': [
    'Placed.all: expected a column that Postgres can sort for the order DATA, got data of the type json.',
    { Placed: anything(placed, { lists: { all: { orders: { DATA: { desc: placed.data } } } } }) },
  ],
  'a filter by a type without its operator': [
    'Placed.all.at: expected a column that Postgres can compare by `eq`, got at of the type point.',
    { Placed: anything(placed, { lists: { all: { filters: { at: { eq: placed.at } } } } }) },
  ],
  'a text that should contain another': [
    'Placed.all.name: expected a column that Postgres can compare by `contains`, got name of the type text.',
    { Placed: anything(placed, { lists: { all: { filters: { name: { contains: placed.name } } } } }) },
  ],
  'a misspelt option of a list': [
    'Book.byAuthor: expected one of the options from, id, parent, orders, filters, got order.',
    { Book: anything(books, { lists: { byAuthor: { parent: books.authorId, order: { AUTHOR: books.authorId } } } }) },
  ],
  'a misspelt place of NULL': [
    'Book.all.AUTHOR: expected one of the options asc, desc, nulls, got null.',
    { Book: anything(books, { lists: { all: { orders: { AUTHOR: [{ desc: books.authorId, null: 'last' }] } } } }) },
  ],
  'a place of NULL that there is not': [
    'Book.all.AUTHOR: expected nulls to be first or last, got middle.',
    { Book: anything(books, { lists: { all: { orders: { AUTHOR: { asc: books.authorId, nulls: 'middle' } } } } }) },
  ],
  'an order in two directions': [
    'Book.all.AUTHOR: expected asc or desc, got both.',
    { Book: anything(books, { lists: { all: { orders: { AUTHOR: { asc: books.id, desc: books.authorId } } } } }) },
  ],
  'a misspelt option of an entity': [
    'Book: expected one of the options key, isId, by, lists, unwatched, version, rules, extend, got list.',
    { Book: anything(books, { list: { byAuthor: { parent: books.authorId } } }) },
  ],
  'a misspelt kind of rules': [
    'Author.rules: expected one of the options texts, constraints, got text.',
    { Author: anything(authors, { rules: { text: { name: { maxLength: 20, optional: false } } } }) },
  ],
  'a rule of a field that is not there': [
    'Author.rules: expected texts to name fields of authors, got nam.',
    { Author: anything(authors, { rules: { texts: { nam: { maxLength: 20, optional: false } } } }) },
  ],
  'a misspelt rule of a text': [
    'Author.name: expected one of the options maxLength, optional, got maxLenght.',
    { Author: anything(authors, { rules: { texts: { name: { maxLenght: 20, optional: false } } } }) },
  ],
  'a misspelt rule of a constraint': [
    'Author.author_name: expected one of the options write, delete, got create.',
    {
      Author: anything(authors, {
        rules: { constraints: { author_name: { create: new InvalidInput('name', 'DUPLICATE', '') } } },
      }),
    },
  ],
  'a list without orders': [
    'Book.all: expected at least one order, got none.',
    { Book: anything(books, { lists: { all: { orders: {} } } }) },
  ],
  'a filter by a column that is not there': [
    'Book.all: expected the filter author to be a column of books, got undefined.',
    { Book: anything(books, { lists: { all: { filters: { author: { eq: undefined } } } } }) },
  ],
  'a filter by a column of another table': [
    'Book.all: expected the filter author to be a column of books, got authors.name.',
    { Book: anything(books, { lists: { all: { filters: { author: { eq: authors.name } } } } }) },
  ],
  'a filter with an operator that there is not': [
    'Book.all.author: expected one of the operators eq, gt, gte, lt, lte, in, contains, isNull, startsWith, search, sql, got like.',
    { Book: anything(books, { lists: { all: { filters: { author: { like: books.authorId } } } } }) },
  ],
  'a filter with two operators': [
    'Book.all.author: expected one operator, got several.',
    { Book: anything(books, { lists: { all: { filters: { author: { gt: books.id, lt: books.id } } } } }) },
  ],
  "a condition of one's own that does not say what it takes": [
    "Book.all.author: expected the SQL type of the value, as in type: 'text', got none.",
    { Book: anything(books, { lists: { all: { filters: { author: { sql: () => null } } } } }) },
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
    'Book: expected keyless to have a primary key, or the option key, got neither.',
    { Book: anything(keyless) },
  ],
  'a field id that is not the key': [
    'Book: expected the field id of numbered to be its key, got another: call that otherwise in Drizzle.',
    { Book: anything(numbered) },
  ],
  'a key of a type that has no text of its own': [
    'Book: expected the key day to be uuid, smallint, integer, bigint, text, varchar, got date.',
    { Book: anything(daily) },
  ],
  'a key of another table': [
    'Book: expected key to be a column of books, got authors.name.',
    { Book: anything(books, { key: authors.name }) },
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
    const error = await opening.then(
      async (larder) => {
        await larder.close();
        return new Error('It opens.');
      },
      (error: unknown) => error,
    );
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
