import { sql as raw, type SQL } from 'drizzle-orm';
import { customType, integer, jsonb, pgSchema, pgTable, text } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { createLarder, entity, InvalidInput } from '../../src/index.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

let updates = 0;
const notes = pgTable('notes', {
  id: text('id')
    .primaryKey()
    .$defaultFn(() => 'made'),
  title: text('title').notNull(),
  slug: text('slug')
    .notNull()
    .$default(() => raw`upper(${'made in SQL'})`),
  pages: integer('pages').notNull().default(7),
  doubled: integer('doubled').notNull().generatedAlwaysAs(raw`pages * 2`),
  remark: text('remark'),
  revision: integer('revision')
    .notNull()
    .$onUpdateFn(() => {
      updates += 1;
      return updates;
    }),
  changed: text('changed')
    .notNull()
    .default('never')
    .$onUpdate(() => raw`'changed ' || ${'in SQL'}::text`),
  writes: integer('writes')
    .notNull()
    .default(1)
    .$onUpdate((): SQL => raw`${notes.writes} + 1`),
  about: jsonb('about'),
});
const entries = pgSchema('books').table('entries', {
  id: text('id').primaryKey(),
  number: integer('number').$defaultFn(
    (): SQL => raw`(select coalesce(max(${entries.number}), 0) + 1 from ${entries})`,
  ),
  words: integer('words')
    .notNull()
    .default(9)
    .$onUpdateFn((): SQL => raw`(select count(*)::int from ${notes} where ${notes.title} = ${entries.title})`),
  sign: text('sign').$defaultFn(() => raw`concat(${'a'}, ${'b'})`.inlineParams()),
  title: text('title').notNull(),
});

/** A custom type whose values are written as SQL, as those of PostGIS and pgcrypto are. */
const place = customType<{ data: { x: number; y: number }; driverData: string }>({
  dataType: () => 'point',
  toDriver: ({ x, y }) => raw`point(${x}, ${y}) + point '(1,1)'`,
  fromDriver: (text) => {
    const [x, y] = JSON.parse(`[${text.slice(1, -1)}]`) as [number, number];
    return { x, y };
  },
});
const loud = customType<{ data: string; driverData: string }>({
  dataType: () => 'text',
  toDriver: (value) => (value === 'as it is' ? value : raw`upper(${value})`),
});
const sites = pgTable('sites', {
  id: integer('id').primaryKey(),
  at: place('at'),
  name: loud('name').notNull(),
  made: loud('made').$defaultFn(() => 'by drizzle'),
});

const database = await freshDatabase(t);
await openSql(t, database).unsafe(`
  create table notes (
    id text primary key, title text not null, slug text not null, pages int not null default 7,
    doubled int not null generated always as (pages * 2) stored, remark text, revision int not null, changed text not null default 'never',
    writes int not null default 1, about jsonb
  );
  create table sites (id int primary key, at point, name text not null, made text);
  create schema books;
  create table books.entries (id text primary key, number int, words int not null default 9, sign text, title text not null);
  select cache_outbox_watch('notes', 'Note'), cache_outbox_watch('books.entries', 'Entry'), cache_outbox_watch('sites', 'Site')`);
const rules = { texts: { title: { maxLength: 5, optional: false } } };
const larder = await createLarder({
  entities: {
    Note: entity(notes, { rules }),
    Entry: entity(entries, { version: raw`${entries}` }),
    Site: entity(sites, { lists: { all: { filters: { named: { eq: sites.name }, oneOf: { in: sites.name } } } } }),
  },
  postgres: { url: database.url },
});
t.teardown(() => larder.close());
const { Entry, Note, Site } = larder.repositories;

t.test('an insert has the defaults of Drizzle and of the table', async (t) => {
  updates = 0;
  t.same(await Note.create({ id: undefined, title: 'first', pages: undefined }), {
    ...{ id: 'made', title: 'first', slug: 'MADE IN SQL', pages: 7, doubled: 14, remark: null },
    ...{ revision: 1, changed: 'never', writes: 1, about: null },
  });
  t.match(
    await Note.create({
      id: 'own',
      title: 'other',
      slug: 'mine',
      pages: 1,
      remark: 'x',
      revision: 40,
      changed: 'once',
    }),
    { id: 'own', slug: 'mine', doubled: 2, remark: 'x', revision: 40, changed: 'once' },
    'where no value is given',
  );
  t.equal(updates, 1, 'and nothing is made that is not used');
});

t.test('an update has the values that Drizzle makes for updates', async (t) => {
  updates = 9;
  t.match(await Note.update('own', { title: 'again', slug: undefined }), {
    title: 'again',
    slug: 'mine',
    revision: 10,
    changed: 'changed in SQL',
    writes: 2,
  });
  t.match(await Note.update('own', { revision: 50, changed: 'twice' }), { revision: 50, changed: 'twice' });
  t.match(await Note.findById('own'), { title: 'again', revision: 50, changed: 'twice' }, 'and later reads see that');
  await t.rejects(Note.update('own', {}), InvalidInput, 'but it is none without a field');
  t.equal(updates, 10);
});

t.test('rules and types hold', async (t) => {
  await t.rejects(
    Note.create({ title: 'too long' }),
    new InvalidInput('title', 'TOO_LONG', 'Expected title to have at most 5 characters, got 8.'),
  );
  // @ts-expect-error a column without a default
  await t.rejects(Note.create({ slug: 'x' }), 'and Postgres says so, too');
});

t.test('an object as graphql-js makes it of arguments, without a prototype, is a value as any other', async (t) => {
  const about = Object.assign(Object.create(null), { width: 3 });
  t.match(await Note.create({ id: 'json', title: 'json', about }), { about: { width: 3 } });
  t.match(await Note.update('json', { about: Object.assign(Object.create(null), { width: 4 }) }), {
    about: { width: 4 },
  });
});

t.test('SQL that Drizzle makes may read tables: the written one, and others', async (t) => {
  t.match(await Entry.create({ id: 'a', title: 'entry' }), { number: 1, words: 9, sign: 'ab' });
  t.match(await Entry.create({ id: 'b', title: 'other' }), { number: 2 });
  await Note.create({ id: 'counted', title: 'entry' });
  t.match(await Entry.update('a', { sign: 'c' }), { id: 'a', number: 1, words: 1, sign: 'c' });
  t.match(await Entry.findById('a'), { words: 1, sign: 'c' });
  t.match(await Entry.findById('b'), { words: 9, sign: 'ab' }, 'and one row alone is changed');
  t.equal(await Entry.delete('b'), true);
  t.same(await Entry.findByIds(['a', 'b']).then((all) => all.map((entry) => entry?.id)), ['a', undefined]);
});

t.test('a custom type may write a value as SQL', async (t) => {
  t.same(await Site.create({ id: '1', at: { x: 1.5, y: -2 }, name: 'first' }), {
    ...{ id: '1', at: { x: 2.5, y: -1 }, name: 'FIRST', made: 'BY DRIZZLE' },
  });
  t.match(await Site.create({ id: '2', at: null, name: 'as it is' }), { at: null, name: 'as it is' });
  t.match(await Site.create({ id: '3', name: 'third' }), { at: null, name: 'THIRD' });
  t.match(await Site.update('1', { name: 'as it is' }), { name: 'as it is' });
  t.match(await Site.update('1', { name: 'again', at: { x: 0, y: 0 } }), { name: 'AGAIN', at: { x: 1, y: 1 } });
  t.match(await Site.findById('1'), { name: 'AGAIN', at: { x: 1, y: 1 }, made: 'BY DRIZZLE' });
  const needs = { rows: true, entities: true, positions: false, total: false, flags: false };
  const asked = (filters: Readonly<Record<string, unknown>>) =>
    Site.list('all', [{ order: 'ID', direction: 'ASC', limit: 9, backward: false, needs, filters }]).then(
      ([page]) => page?.items.map(({ id }) => id),
      String,
    );
  t.same(await asked({ named: 'as it is' }), ['2']);
  t.same(await asked({ oneOf: ['as it is'] }), ['2']);
  const refused = 'NoParameter: The type of name writes this value as SQL, so a filter over it has to be a condition.';
  t.equal(await asked({ named: 'again' }), refused);
  t.equal(await asked({ oneOf: ['as it is', 'again'] }), refused);
});
