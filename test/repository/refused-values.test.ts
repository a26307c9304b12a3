import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { createLarder, entity, InvalidInput } from '../../src/index.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const things = pgTable('things', {
  id: integer('id').primaryKey(),
  size: integer('size').notNull(),
  name: text('name').notNull(),
});
const lists = { all: { orders: { ID: null, SIZE: things.size }, filters: { named: { eq: things.name } } } };
const needs = { rows: true, entities: true, positions: true, total: true, flags: true };

t.test('what Postgres refuses is invalid input only where the request has a value of a client', async (t) => {
  const database = await freshDatabase(t);
  await openSql(t, database).unsafe(`
    create table raw_things (id int primary key, size text not null, name text not null);
    insert into raw_things values (1, '7', 'first'), (2, 'abc', 'broken');
    create view things as select id, size::int as size, name from raw_things`);
  const entities = { Thing: entity(things, { unwatched: true, version: things.name, lists }) };
  await using larder = await createLarder({ entities, postgres: { url: database.url } });
  const { Thing } = larder.repositories;
  const page = { order: 'SIZE', direction: 'ASC', limit: 2, backward: false, needs } as const;
  const broken = { code: '22P02', message: /invalid input syntax for type integer/ };
  await t.rejects(Thing.list('all', [page]), broken, 'a row of the view is broken, and nobody else is to blame');
  await t.rejects(Thing.list('all', [{ ...page, filters: { named: null } }]), broken, 'a filter without a value');
  const after = { key: '0', id: '1' };
  for (const [field, more] of Object.entries({ filters: { filters: { named: 'broken' } }, after: { after } })) {
    const refused: unknown = await Thing.list('all', [{ ...page, ...more }]).catch((error: unknown) => error);
    t.type(refused, InvalidInput);
    t.match(refused, { field, reason: 'MALFORMED', cause: broken }, 'and the reason is kept');
  }
  for (const limit of [Number.POSITIVE_INFINITY, Number.NaN, 2 ** 31, -1, 1.5]) {
    await t.rejects(Thing.list('all', [{ ...page, limit, after }]), RangeError, `${limit} is no size of a page`);
  }
});
