import { customType, pgTable, text } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { createLarder, entity } from '../../src/index.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

/** A uuid that is written otherwise in the program, and that takes nothing else. */
const typeId = customType<{ data: `author_${string}`; driverData: string }>({
  dataType: () => 'uuid',
  fromDriver: (uuid) => `author_${uuid}`,
  toDriver: (id) => {
    if (!id.startsWith('author_')) throw new TypeError('Expected the id of an author.');
    return id.slice('author_'.length);
  },
});
/** Such types that `id` can have: what it takes is what Postgres writes. */
const lower = customType<{ data: string; driverData: string }>({
  dataType: () => 'text',
  toDriver: (value) => value.toLowerCase(),
});
const authors = pgTable('authors', { key: typeId('id').primaryKey(), name: text('name').notNull() });
const books = pgTable('books', { id: lower('id').primaryKey(), author: typeId('author_id').notNull() });
const entities = {
  Author: entity(authors),
  Book: entity(books, { lists: { byAuthor: { parent: books.author } } }),
};
const UUID = '006ee5b8-192a-402a-9e52-e1473849f4dc';

t.test('the field id has no type whose values are others than its texts', async (t) => {
  const wrong = pgTable('authors', { id: typeId('id').primaryKey() });
  t.throws(() => entity(wrong).define('Author'), {
    name: 'TypeError',
    message:
      'Author: expected the field id of authors to be what Postgres writes, got a type whose toDriver does not take that: call that otherwise in Drizzle. See docs/your-tables.md#keys.',
  });
  const numbered = customType<{ data: number; driverData: string }>({ dataType: () => 'bigint', fromDriver: Number });
  t.ok(entity(pgTable('rooms', { id: numbered('id').primaryKey() })).define('Room'));
  const branded = { fromDriver: (value: string) => value, toDriver: (value: string) => value };
  for (const type of ['uuid', 'bigint', 'text', 'varchar(20)']) {
    const same = customType<{ data: string; driverData: string }>({ dataType: () => type, ...branded });
    t.ok(entity(pgTable('rooms', { id: same('id').primaryKey() })).define('Room'), type);
  }
  const both = customType<{ data: number; driverData: string }>({
    ...{ dataType: () => 'bigint', fromDriver: Number, toDriver: String },
  });
  t.ok(entity(pgTable('rooms', { id: both('id').primaryKey() })).define('Room'), 'one that takes the text, too');
});

t.test('by another name such a key has its own value, and id has the text', async (t) => {
  const database = await freshDatabase(t);
  await openSql(t, database).unsafe(`
    create table authors (id uuid primary key, name text not null);
    create table books (id text primary key, author_id uuid not null references authors);
    select cache_outbox_watch('authors', 'Author'), cache_outbox_watch('books', 'Book')`);
  await using larder = await createLarder({ entities, postgres: { url: database.url } });
  const { Author, Book } = larder.repositories;
  const author = await Author.create({ key: `author_${UUID}`, name: 'Ada' });
  t.same(author, { key: `author_${UUID}`, name: 'Ada', id: UUID });
  t.same(await Author.findById(author.id), author);
  const book = await Book.create({ id: 'NOTES', author: author.key });
  t.same(book, { id: 'notes', author: `author_${UUID}` });
  const needs = { rows: true, entities: true, positions: false, total: false, flags: false };
  const page = { parent: author.id, order: 'ID', direction: 'ASC', limit: 2, backward: false, needs } as const;
  const [list] = await Book.list('byAuthor', [page]);
  t.same(
    list?.items.map(({ entity }) => entity),
    [book],
  );
  t.match(await Author.update(author.id, { name: 'Ada Lovelace' }), { key: author.key, name: 'Ada Lovelace' });
  t.equal(await Book.delete('notes'), true);
  t.equal(await Author.delete(author.id), true);
});
