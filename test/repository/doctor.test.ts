import { customType, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { openDatabase } from '../../src/postgres/client.ts';
import { examine } from '../../src/repository/doctor.ts';
import { entity } from '../../src/repository/entity.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const place = await freshDatabase(t);
const sql = openSql(t, place);
const database = openDatabase({ url: place.url, poolSize: 1, statementTimeoutMs: 120_000 });
t.teardown(() => database.close());
await sql.unsafe(`
  create table books (id int primary key, title text not null);
  create view shown as select * from books;
  create materialized view counted as select * from books;
  create foreign data wrapper nothing;
  create server elsewhere foreign data wrapper nothing;
  create foreign table far (id int not null, title text not null) server elsewhere;
  create table sales (id int not null, number int not null, region text not null, title text not null) partition by list (region);
  create table sales_north partition of sales for values in ('north');
  create table by_title (id int not null, title text not null) partition by range (lower(title))`);

/** What the doctor says of a table of these columns. */
function examineAs(name: string) {
  const table = pgTable(name, { id: integer('id').primaryKey(), title: text('title').notNull() });
  const lists = { all: { orders: { TITLE: table.title } } };
  return examine(database, [entity(table, { unwatched: true, version: table.title, lists }).define('Thing')]);
}

t.test(
  'a view and a foreign table can have no indexes, and no column of a view is NOT NULL: nothing is said of that',
  async (t) => {
    t.same(await examineAs('shown'), []);
    t.same(await examineAs('far'), []);
  },
);

t.test('a column of the system is one', async (t) => {
  const xmin = customType<{ data: string }>({ dataType: () => 'xid' });
  const table = pgTable('books', { id: integer('id').primaryKey(), xmin: xmin('xmin').notNull() });
  t.same(await examine(database, [entity(table, { unwatched: true, lists: {} }).define('Thing')]), []);
});

t.test('what is said of a materialized view can be done', async (t) => {
  const found = await examineAs('counted');
  t.same(
    found.map(({ statement }) => statement),
    [
      'CREATE UNIQUE INDEX CONCURRENTLY ON "counted" ("id");',
      'CREATE INDEX CONCURRENTLY ON "counted" ("title", "id");',
    ],
  );
  for (const { statement } of found) await sql.unsafe(statement ?? '');
  t.same(await examineAs('counted'), []);
});

t.test('an index of a partitioned table is not made concurrently, which Postgres refuses', async (t) => {
  const sales = pgTable(
    'sales',
    { number: integer('number').notNull(), region: text('region').notNull(), title: text('title').notNull() },
    (table) => [primaryKey({ columns: [table.region, table.number] })],
  );
  const lists = { all: { orders: { TITLE: sales.title } } };
  const definitions = [entity(sales, { unwatched: true, lists }).define('Sale')];
  const found = await examine(database, definitions);
  t.same(
    found.map(({ statement }) => statement),
    ['CREATE UNIQUE INDEX ON "sales" ("region", "number");', 'CREATE INDEX ON "sales" ("title", "region", "number");'],
  );
  for (const { statement } of found) await sql.unsafe(statement ?? '');
  t.same(await examine(database, definitions), []);
});

for (const name of ['sales', 'by_title']) {
  t.test(`no unique index leaves out what ${name} is partitioned by, and none is spelled`, async (t) => {
    const [found] = await examineAs(name);
    t.match(found, {
      statement: null,
      problem: /^The key of .* without the columns that the table is partitioned by\.$/,
    });
  });
}

t.test('a list over the table of the entity that leads to other rows may have one twice', async (t) => {
  await sql`create table employees (id int primary key, team int not null, lead int not null)`;
  const employees = pgTable('employees', {
    id: integer('id').primaryKey(),
    team: integer('team').notNull(),
    lead: integer('lead').notNull(),
  });
  const lists = { leads: { from: employees, parent: employees.team, id: employees.lead } };
  const found = await examine(database, [entity(employees, { lists }).define('Employee')]);
  t.match(found.map(({ statement }) => statement).join(), 'UNIQUE INDEX CONCURRENTLY ON "employees" ("team", "lead")');
});

t.test('a column by which rows are found has an index, unique where that can be', async (t) => {
  await sql`create table people (id int primary key, email text not null, name text not null)`;
  const people = pgTable('people', {
    id: integer('id').primaryKey(),
    email: text('email').notNull(),
    name: text('name').notNull(),
  });
  await sql`create index on people (name, id)`;
  const found = await examine(database, [
    entity(people, { by: { email: people.email, name: people.name, number: people.id } }).define('Person'),
  ]);
  t.same(found, [
    {
      about: 'Person by email',
      problem:
        'Finding a row by "email" reads the whole table: "people" has no index that begins with it. Without UNIQUE, several rows may have a value.',
      statement: 'CREATE UNIQUE INDEX CONCURRENTLY ON "people" ("email");',
    },
  ]);
  await sql.unsafe(found[0]?.statement ?? '');
  t.same(await examine(database, [entity(people, { by: { email: people.email } }).define('Person')]), []);

  const sold = pgTable('sales', { id: integer('id').primaryKey(), number: integer('number').notNull() });
  const ofSales = await examine(database, [entity(sold, { by: { number: sold.number } }).define('Sale')]);
  t.match(
    ofSales.find(({ about }) => about === 'Sale by number'),
    { statement: 'CREATE INDEX ON "sales" ("number");' },
    'no unique index leaves out what the table is partitioned by',
  );
  const shown = pgTable('shown', { id: integer('id').primaryKey(), title: text('title').notNull() });
  t.same(
    await examine(database, [
      entity(shown, { unwatched: true, version: shown.title, by: { title: shown.title } }).define('Shown'),
    ]),
    [],
    'and a view has none',
  );
});
