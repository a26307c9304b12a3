import { t } from 'tap';
import { blocks, pageText } from '../docs/document.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const TEST = 'test/outbox/unwatch.test.ts';
const recipe = blocks(pageText('docs/your-tables.md')).find(({ runBy }) => runBy === TEST)?.text ?? '';

t.test('a table whose triggers are dropped as the page says leaves nothing in the outbox', async (t) => {
  const sql = openSql(t, await freshDatabase(t));
  await sql`create table books (id int primary key, title text)`;
  // The entity had another name before.
  await sql`select cache_outbox_watch('books', 'Volume'), cache_outbox_watch('books', 'Book')`;
  const noted = async (what: string) => {
    await sql`delete from cache_outbox`;
    await sql.unsafe(what);
    const rows = await sql<{ name: string }[]>`select distinct entity as name from cache_outbox`;
    return rows.map(({ name }) => name).sort();
  };
  t.same(await noted(`insert into books values (1, 'a'), (2, 'b')`), ['Book', 'Volume']);
  await sql.unsafe(recipe);
  const changes = [
    `update books set title = 'c'`,
    'delete from books where id = 1',
    `insert into books values (3, 'd')`,
  ];
  for (const change of [...changes, 'truncate books']) t.same(await noted(change), ['Volume'], change);
  await sql.unsafe(recipe.replaceAll('Book"', 'Volume"'));
  for (const change of [...changes, 'truncate books']) t.same(await noted(change), [], change);
  t.same(await sql`select tgname from pg_trigger where tgrelid = 'books'::regclass`, []);
});

t.test('a partitioned table has the triggers that the page names', async (t) => {
  const sql = openSql(t, await freshDatabase(t));
  await sql.unsafe(`
    create table books (id int primary key) partition by range (id);
    create table first_books partition of books for values from (0) to (100);
    select cache_outbox_watch('books', 'Book')`);
  await sql.unsafe(`
    drop trigger "cache_outbox_changed_Book" on books;
    drop trigger "cache_outbox_truncated_Book" on books;
    drop trigger "cache_outbox_truncated_Book" on first_books`);
  t.same(await sql`select tgname from pg_trigger where tgname like 'cache_outbox_%Book'`, []);
});
