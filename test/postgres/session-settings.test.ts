import { sql as raw } from 'drizzle-orm';
import { customType, doublePrecision, integer, interval, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import postgres from 'postgres';
import { t } from 'tap';
import { createLarder, entity, type PostgresPlace } from '../../src/index.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' });
const events = pgTable('events', {
  id: integer('id').primaryKey(),
  title: text('title').notNull(),
  at: timestamp('at', { mode: 'string', withTimezone: true, precision: 6 }).notNull(),
  took: interval('took').notNull(),
  mark: bytea('mark').notNull(),
  size: doublePrecision('size').notNull(),
});
const entities = { Event: entity(events, { unwatched: true, lists: { all: { orders: { AT: events.at } } } }) };

/** Settings that would change the text of values, or the plans. Their names have no case. */
const OTHERS = {
  timezone: 'Europe/Berlin',
  DateStyle: 'German',
  intervalstyle: 'iso_8601',
  bytea_output: 'escape',
  extra_float_digits: '-3',
  plan_cache_mode: 'force_custom_plan',
  client_encoding: 'LATIN1',
};

const database = await freshDatabase(t);
const sql = openSql(t, database);
await sql.unsafe(`
  create schema theirs;
  create table theirs.events (
    id int primary key, title text not null, at timestamptz not null, took interval not null, mark bytea not null, size float8 not null
  );
  insert into theirs.events values (1, 'né', '2026-01-02 03:04:05.000006+00', '1 day 02:00:00', '\\x00ff', 0.1::float8 + 0.2)`);

const PLACES: Readonly<Record<string, () => Promise<PostgresPlace>>> = {
  'a client': async () => {
    const client = postgres(database.url, { connection: { ...OTHERS, search_path: 'theirs, public' } });
    t.teardown(() => client.end());
    return { client };
  },
  'the options of a URL': async () => {
    const all = Object.entries({ ...OTHERS, search_path: 'theirs,public' });
    const options = all.map(([name, value]) => `-c ${name}=${value}`).join(' ');
    return { url: `${database.url}?options=${encodeURIComponent(options)}` };
  },
  'a database': async () => {
    for (const [name, value] of Object.entries(OTHERS)) {
      await sql.unsafe(`alter database ${database.name} set ${name} = '${value}'`);
    }
    await sql.unsafe(`alter database ${database.name} set search_path = theirs, public`);
    return { url: database.url };
  },
};

for (const [what, place] of Object.entries(PLACES)) {
  t.test(`what ${what} sets holds, except what values and plans depend on`, async (t) => {
    await using larder = await createLarder({ entities, postgres: await place() });
    const { Event } = larder.repositories;
    const needs = { rows: true, entities: true, positions: true, total: false, flags: false };
    const [page] = await Event.list('all', [{ order: 'AT', direction: 'ASC', limit: 1, backward: false, needs }]);
    const [item] = page?.items ?? [];
    t.same(item?.entity, {
      ...{ id: '1', title: 'né', at: '2026-01-02 03:04:05.000006+00', took: '1 day 02:00:00' },
      ...{ mark: Buffer.from([0, 255]), size: 0.1 + 0.2 },
    });
    if (item?.position == null) throw new Error('There is no position.');
    t.ok(Event.isPosition('all', 'AT', item.position), 'its cursor is one');
    const [settings] = await larder.transaction((tx) =>
      tx.execute(raw`select current_setting('plan_cache_mode') as plans, current_setting('search_path') as path`),
    );
    t.match(settings, { plans: 'force_generic_plan', path: /^theirs, ?public$/ });
  });
}
