import { bigint, pgTable } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { readCatalog } from '../../src/postgres/catalog.ts';
import { openDatabase } from '../../src/postgres/client.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const table = pgTable('pieces', { id: bigint('id', { mode: 'bigint' }).primaryKey() });

t.test('a table that nobody watches may be loaded anew without emptying caches', async (t) => {
  const { url } = await freshDatabase(t);
  const sql = openSql(t, { url });
  await sql`create table pieces (id bigint primary key)`;
  const database = openDatabase({ url, poolSize: 1, statementTimeoutMs: 60_000 });
  t.teardown(() => database.close());
  const read = async () => {
    const [watched, unwatched] = await readCatalog(database, [
      { table, isWatched: true },
      { table, isWatched: false },
    ]);
    return { watched: watched?.get('id'), unwatched: unwatched?.get('id') };
  };
  const before = await read();
  await sql`truncate pieces`;
  const after = await read();
  t.not(after.watched, before.watched);
  t.equal(after.unwatched, before.unwatched);
  t.type(after.unwatched, 'string');
});
