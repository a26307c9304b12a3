import { sql as raw } from 'drizzle-orm';
import { pgTable, text } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { createLarder, entity } from '../../src/index.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const authors = pgTable('authors', { id: text('id').primaryKey() });

t.test('a transaction whose connection Postgres has ended keeps no place, whatever its work waits for', async (t) => {
  const database = await freshDatabase(t);
  const sql = openSql(t, database);
  await sql`create table authors (id text primary key)`;
  const larder = await createLarder({
    entities: { Author: entity(authors, { unwatched: true }) },
    postgres: { url: database.url, poolSize: 1, statementTimeoutMs: 1500 },
  });
  t.teardown(() => larder.close());
  let goOn = () => {};
  const waiting = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const late: Promise<unknown>[] = [];
  const held = larder.transaction(async (tx) => {
    await tx.execute(raw`insert into authors values ('held')`);
    await waiting;
    late.push(tx.execute(raw`insert into authors values ('late')`).then());
    await late[0];
  });
  await t.rejects(held, { name: 'DatabaseUnavailable' });
  const isCreated = async () => {
    try {
      await larder.repositories.Author.create({ id: 'next' });
      return true;
    } catch (error) {
      // Of a COMMIT whose answer did not come, only the next attempt tells that it was done.
      if (error instanceof Error && error.name === 'ConstraintViolation') return true;
      // Postgres may not have ended the connection yet.
      if (!(error instanceof Error) || error.name !== 'DatabaseUnavailable') throw error;
      return false;
    }
  };
  await until('there is a place', isCreated);
  goOn();
  await until('the work has gone on', () => late.length === 1);
  await t.rejects(late[0] as Promise<unknown>, { cause: { name: 'DatabaseUnavailable' } }, 'nothing more is sent');
  t.same([...(await sql`select id from authors`)], [{ id: 'next' }]);
});
