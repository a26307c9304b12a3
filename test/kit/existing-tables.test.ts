import { integer, pgSchema, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { createLarder, entity } from '../../src/index.ts';
import { blocks, pageText } from '../docs/document.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
import { counted, openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const orders = pgSchema('shop').table('Orders', {
  number: integer('number').notNull(),
  branch: text('branch').notNull(),
  note: text('note'),
});
const customers = pgTable('customers', { id: uuid('id').primaryKey(), name: text('name').notNull() });

const TABLES = `
  create schema shop;
  create table shop."Orders" (number int not null, branch text not null, note text, unique (number, branch));
  insert into shop."Orders" values (1, 'North, East', 'first'), (1, 'South', 'other');
  create table customers (id uuid primary key, name text not null);
  insert into customers select md5(i::text)::uuid, 'customer ' || i from generate_series(1, 5) i`;

t.test('a table of another schema, watched by a key of its own as docs/your-tables.md says', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  await sql.unsafe(TABLES);
  const before =
    await sql`select oid, relname, relkind from pg_class where relname in ('Orders', 'customers') order by 1`;
  const watch = blocks(pageText('docs/your-tables.md')).find(
    ({ runBy }) => runBy === 'test/kit/existing-tables.test.ts',
  );
  for (let i = 0; i < 2; i += 1) await sql.unsafe(watch?.text ?? '');
  const open = (key: 'as watched' | 'turned round') =>
    createLarder({
      entities: {
        Order: entity(orders, {
          key: key === 'as watched' ? [orders.branch, orders.number] : [orders.number, orders.branch],
        }),
      },
      postgres: { url: database.url },
      redis: { url: redis.url, timeoutMs: REDIS_PATIENCE_MS },
      cache: { prefix: `${key}:`, selfAuditRate: 0 },
    });
  const larder = await open('as watched');
  t.teardown(larder.close);
  const { Order } = larder.repositories;
  const read = async (id: string) => (await Order.findById(id))?.note;
  await until(
    'caches answer',
    async () => (await counted({ database, redis }, () => read('North%2C East,1'))).sql === 0,
  );
  t.equal(await read('North%2C East,1'), 'first');
  await sql`update shop."Orders" set note = 'changed' where branch like 'North%'`;
  await until('psql is heard', async () => (await read('North%2C East,1')) === 'changed');
  await until('nothing is wrong', () => larder.health.problems().length === 0);
  t.same(
    await sql`select oid, relname, relkind from pg_class where relname in ('Orders', 'customers') order by 1`,
    before,
    'and nobody has touched the tables',
  );

  const other = await open('turned round');
  t.teardown(other.close);
  const named = /"Orders" is watched by the key \(branch, number\), and the entity is declared with \(number, branch\)/;
  await until('a key in another order, which would never be heard of, is named', () =>
    named.test(other.health.problems().join()),
  );
  await other.repositories.Order.findById('1,South');
  await sql`update shop."Orders" set note = 'seen' where branch = 'South'`;
  t.equal((await other.repositories.Order.findById('1,South'))?.note, 'seen', 'and so is read by its version');
});

t.test('whoever may read one table, and nothing else, reads it without an outbox', async (t) => {
  const database = await freshDatabase(t);
  const sql = openSql(t, database);
  await sql.unsafe(TABLES);
  await sql.unsafe(`
    drop table cache_outbox, cache_domains cascade;
    create role table_reader login password 'secret';
    grant select on customers to table_reader`);
  t.teardown(async () => {
    await sql.unsafe('drop owned by table_reader; drop role table_reader');
  });
  const url = new URL(database.url);
  url.username = 'table_reader';
  url.password = 'secret';
  const said: string[] = [];
  const larder = await createLarder({
    entities: { Customer: entity(customers, { unwatched: true, by: { name: customers.name } }) },
    postgres: { url: url.href },
    logger: { info: () => {}, warn: (fields, message) => said.push(`${message} ${JSON.stringify(fields)}`) },
  });
  t.teardown(larder.close);
  const { Customer } = larder.repositories;
  const { id } = (await Customer.findBy('name', 'customer 3')) ?? { id: '' };
  for (let i = 0; i < 3; i += 1) t.equal((await Customer.findById(id))?.name, 'customer 3');
  await sql`update customers set name = 'new' where id = ${id}`;
  t.equal((await Customer.findById(id))?.name, 'new');
  await until('nothing is wrong', () => larder.health.problems().length === 0);
  t.same(said, [], 'and nothing is said');
});
