import { sql as raw } from 'drizzle-orm';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { createLarder, entity } from '../../src/index.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const readings = pgTable('readings', { id: integer('id').primaryKey(), value: text('value').notNull() });
const sensors = pgTable('sensors', { id: integer('id').primaryKey(), place: integer('place').notNull() });
const changes = pgTable('changes', { reading: integer('reading').notNull(), number: integer('number').notNull() });
// Larder's statements call a row of an entity `t` or `e`. These columns Drizzle need not know.
const TABLES = `
  create table measured (id int primary key, value text not null);
  insert into measured select i, 'old ' || i from generate_series(1, 3) i;
  create view readings as select id, value, 1 as t, 2 as e from measured;
  create table sensors (id int primary key, place int not null, e text, t text);
  insert into sensors select i, 7, 'same', 'same' from generate_series(1, 3) i;
  create table changes (reading int not null, number int not null);
  insert into changes select i, 1 from generate_series(1, 3) i`;
const needs = { rows: true, entities: true, positions: false, total: false, flags: false };
const page = { order: 'ID', direction: 'ASC' as const, limit: 3, backward: false, needs };
const lists = { at: { from: sensors, parent: sensors.place, id: sensors.id } };

for (const [name, version] of Object.entries({
  'the row itself, whatever its columns are called': raw`${readings}`,
  'the row itself within an expression': raw`to_jsonb(${readings})`,
  'a column that is reached through the row': raw`${readings}.value`,
  'an expression over another table': raw`(select max(${changes.number}) from ${changes} where ${changes.reading} = ${readings.id})`,
  'an expression with a value in its text': raw`concat(${readings.value}, ${'.'})`.inlineParams(),
})) {
  t.test(`a version is ${name}`, async (t) => {
    const database = await freshDatabase(t);
    const sql = openSql(t, database);
    await sql.unsafe(TABLES);
    const entities = { Reading: entity(readings, { unwatched: true, version, lists }) };
    const larder = await createLarder({ entities, postgres: { url: database.url } });
    t.teardown(() => larder.close());
    const { Reading } = larder.repositories;
    await until('caches answer', async () => {
      const { scope } = larder.createContext();
      await Reading.findByIds(['1', '2', '3'], scope);
      return scope.trace.sql.statements === 1;
    });
    const write = async (id: number, value: string) => {
      await sql`update measured set value = ${value} where id = ${id}`;
      await sql`update changes set number = number + 1 where reading = ${id}`;
    };
    const listed = async (list: 'all' | 'at') => {
      const [found] = await Reading.list(list, [list === 'at' ? { ...page, parent: '7' } : page]);
      return found?.items.map(({ entity }) => entity?.value);
    };
    await write(1, 'by id');
    t.equal((await Reading.findById('1'))?.value, 'by id');
    await write(2, 'in a list');
    t.same(await listed('all'), ['by id', 'in a list', 'old 3']);
    await write(3, 'over a join table');
    t.same(await listed('at'), ['by id', 'in a list', 'over a join table']);
  });
}
