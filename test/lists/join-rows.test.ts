import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { createLarder, entity } from '../../src/index.ts';
import type { PageRequest, Position } from '../../src/lists/page-request.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const authors = pgTable('authors', { id: text('id').primaryKey(), name: text('name').notNull() });
const works = pgTable('works', {
  id: integer('id').primaryKey(),
  shelf: integer('shelf').notNull(),
  place: integer('place').notNull(),
  author: text('author_id'),
});

t.test('a row that names no entity is none of a list over a join table', async (t) => {
  const database = await freshDatabase(t);
  await openSql(t, database).unsafe(`
    create table authors (id text primary key, name text not null);
    create table works (id int primary key, shelf int not null, place int not null, author_id text);
    insert into authors values ('a', 'Ada'), ('b', 'Bea'), ('c', 'Cleo');
    insert into works values (1, 1, 1, 'a'), (2, 1, 2, null), (3, 1, 3, 'b'), (4, 1, 4, 'c')`);
  const onShelf = { from: works, parent: works.shelf, id: works.author, orders: { PLACE: works.place } };
  const entities = { Author: entity(authors, { unwatched: true, lists: { onShelf } }) };
  await using larder = await createLarder({ entities, postgres: { url: database.url } });
  const needs = { rows: true, entities: true, positions: true, total: true, flags: true };
  const page = async (more: object) => {
    const request = {
      parent: '1',
      order: 'PLACE',
      direction: 'ASC',
      limit: 2,
      backward: false,
      needs,
      ...more,
    } as const;
    const [found] = await larder.repositories.Author.list('onShelf', [request]);
    if (found === undefined) throw new Error('There is no page.');
    return { ...found, names: found.items.map(({ entity }) => entity?.name), last: found.items.at(-1)?.position };
  };
  const first = await page({});
  t.match(first, { names: ['Ada', 'Bea'], hasNext: true, total: 3 });
  t.match(await page({ after: first.last }), { names: ['Cleo'], hasNext: false, hasPrevious: true, total: 3 });
  t.match(await page({ backward: true }), { names: ['Bea', 'Cleo'], hasPrevious: true, total: 3 });
});

const needs = { rows: true, entities: true, positions: true, total: false, flags: true };

t.test('a page of rows that all lead to no entity has places to go on from', async (t) => {
  const database = await freshDatabase(t);
  await openSql(t, database).unsafe(`
    create table authors (id text primary key, name text not null);
    create table works (id int primary key, shelf int not null, place int not null, author_id text);
    insert into authors values ('a', 'Ada'), ('b', 'Bea');
    insert into works values (1, 1, 1, 'a'), (2, 1, 2, 'x'), (3, 1, 3, 'y'), (4, 1, 4, 'b')`);
  const onShelf = { from: works, parent: works.shelf, id: works.author, orders: { PLACE: works.place } };
  const entities = { Author: entity(authors, { unwatched: true, lists: { onShelf } }) };
  await using larder = await createLarder({ entities, postgres: { url: database.url } });
  const request = { parent: '1', order: 'PLACE', direction: 'ASC', limit: 1, needs } as const;
  // Bodies are read by id at first, and brought along later.
  for (const round of [1, 2, 3, 4]) {
    for (const backward of [false, true]) {
      const names: (string | undefined)[] = [];
      let at: Position | null = null;
      let hasMore = true;
      for (let pages = 0; hasMore && pages < 6; pages += 1) {
        const place: Partial<PageRequest> = at === null ? {} : { [backward ? 'before' : 'after']: at };
        const [found] = await larder.repositories.Author.list('onShelf', [{ ...request, backward, ...place }]);
        if (found === undefined) throw new Error('There is no page.');
        names.push(...found.items.map(({ entity }) => entity?.name));
        at = backward ? found.start : found.end;
        hasMore = backward ? found.hasPrevious : found.hasNext;
      }
      t.same(names, backward ? ['Bea', 'Ada'] : ['Ada', 'Bea'], `round ${round}`);
    }
  }
});

const employees = pgTable('employees', {
  id: integer('id').primaryKey(),
  team: integer('team').notNull(),
  lead: integer('lead'),
  name: text('name').notNull(),
});

t.test('a list over the table of the entity may lead to other rows of it', async (t) => {
  const database = await freshDatabase(t);
  await openSql(t, database).unsafe(`
    create table employees (id int primary key, team int not null, lead int, name text not null);
    insert into employees values (1, 1, 4, 'Ada'), (2, 1, 5, 'Bea'), (3, 1, null, 'Cleo'), (4, 2, 5, 'Dora'), (5, 2, null, 'Eve');
    select cache_outbox_watch('employees', 'Employee')`);
  const leads = { from: employees, parent: employees.team, id: employees.lead };
  const entities = { Employee: entity(employees, { lists: { leads } }) };
  const options = { entities, postgres: { url: database.url }, cache: { selfAuditRate: 0, memoryMaxEntries: 0 } };
  await using larder = await createLarder(options);
  const { Employee } = larder.repositories;
  const request = { parent: '1', order: 'ID', direction: 'ASC', limit: 5, backward: false, needs } as const;
  // Bodies are read by id at first, and brought along later.
  for (const round of [1, 2, 3, 4, 5]) {
    const [found] = await Employee.list('leads', [request]);
    t.same(
      found?.items.map(({ id, entity }) => [id, entity?.id, entity?.name]),
      [
        ['4', '4', 'Dora'],
        ['5', '5', 'Eve'],
      ],
      `round ${round}`,
    );
    t.match(await Employee.findById('4'), { name: 'Dora' });
  }
});
