import postgres from 'postgres';
import { type Test, t } from 'tap';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const database = await freshDatabase(t);
const sql = openSql(t, database);

/** What changed while something was done, as text. */
async function changed(what: string): Promise<string[]> {
  await sql`delete from cache_outbox`;
  await sql.unsafe(what);
  const rows = await sql<{ entity: string; id: string }[]>`
    select distinct entity, entity_id as id from cache_outbox`;
  return rows.map(({ entity, id }) => `${entity}-${id}`).sort();
}

/** Each of these is heard of. */
async function heard(t: Test, cases: readonly (readonly [what: string, expected: readonly string[]])[]): Promise<void> {
  for (const [what, expected] of cases) t.same(await changed(what), [...expected].sort(), what);
}

/** What somebody is told whose statement is refused. */
async function refusal(what: string, as = sql): Promise<string> {
  return as.unsafe(what).then(
    () => 'nothing',
    (error: unknown) => {
      if (!(error instanceof postgres.PostgresError)) throw error;
      return [error.message, error.hint].filter((text) => text !== undefined).join(' ');
    },
  );
}

const A = '006ee5b8-192a-402a-9e52-e1473849f4dc';
const B = '06dd366b-7b35-4efd-b626-d401e5b0526d';

t.test('every key is noted as its text', async (t) => {
  await sql.unsafe(`
    create schema "Art Works";
    create domain positive as int check (value > 0);
    create table artists (id uuid primary key, name text);
    create table artworks (id int primary key, title text);
    create table "Art Works"."Subjects" ("Slug of it" text primary key, title text);
    create table links (position positive, slug varchar(40), artwork bigint, primary key (slug, artwork) include (position));
    create table named (name text not null, owner smallint not null, note text, unique (owner, name));
    select cache_outbox_watch('artists', 'Artist'), cache_outbox_watch('artworks', 'Artwork'),
      cache_outbox_watch('"Art Works"."Subjects"', 'Subject'), cache_outbox_watch('links', 'Link'),
      cache_outbox_watch('named', 'Named', 'name', 'owner')`);
  await heard(t, [
    [`insert into artists values ('${A.toUpperCase()}', 'a'), ('${B}', 'b')`, [`Artist-${A}`, `Artist-${B}`]],
    [`update artists set id = '${B}' where id = '${B}'`, [`Artist-${B}`]],
    [`insert into artworks values (-7, 'a'), (0, 'b')`, ['Artwork--7', 'Artwork-0']],
    [`update artworks set id = id + 8`, ['Artwork--7', 'Artwork-0', 'Artwork-1', 'Artwork-8']],
    [
      `insert into "Art Works"."Subjects" values ('Bible: New Testament, 1', ''), ('é" ''\\%', '')`,
      ['Subject-Bible: New Testament, 1', `Subject-é" '\\%`],
    ],
    [`truncate "Art Works"."Subjects"`, ['Subject-Bible: New Testament, 1', `Subject-é" '\\%`]],
    [`insert into links values (1, 'a,b', 3), (2, '100%', -4)`, ['Link-100%25,-4', 'Link-a%2Cb,3']],
    [`update links set position = 3 where artwork = 3`, ['Link-a%2Cb,3']],
    [`update links set slug = 'c' where artwork = 3`, ['Link-a%2Cb,3', 'Link-c,3']],
    [`truncate links`, ['Link-100%25,-4', 'Link-c,3']],
    [`insert into named values ('x', 1)`, ['Named-x,1']],
    [`delete from named`, ['Named-x,1']],
  ]);
});

t.test('ids that the collation of their column takes for one are noted apart', async (t) => {
  await sql.unsafe(`
    create collation ignoring_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    create collation ignoring_signs (provider = icu, locale = 'und-u-ka-shifted-ks-level2', deterministic = false);
    create table codes (id text collate ignoring_case primary key);
    create table slugs (slug text collate ignoring_case primary key);
    create table pairs (a text collate ignoring_signs, b int, primary key (a, b));
    select cache_outbox_watch('codes', 'Code'), cache_outbox_watch('slugs', 'Slug'), cache_outbox_watch('pairs', 'Pair')`);
  await heard(t, [
    [`insert into codes values ('abc')`, ['Code-abc']],
    [`update codes set id = 'ABC'`, ['Code-ABC', 'Code-abc']],
    [`insert into slugs values ('abc')`, ['Slug-abc']],
    [`update slugs set slug = 'ABC'`, ['Slug-ABC', 'Slug-abc']],
    [`insert into pairs values ('a,c', 1)`, ['Pair-a%2Cc,1']],
    [`update pairs set a = 'A%C'`, ['Pair-A%25C,1', 'Pair-a%2Cc,1']],
  ]);
});

t.test('a table that is altered later goes on being heard of', async (t) => {
  await sql.unsafe(`
    create table moved (gone int, id int primary key, other int);
    select cache_outbox_watch('moved', 'Moved')`);
  await heard(t, [
    ['insert into moved values (1, 1)', ['Moved-1']],
    ['update moved set other = 1', ['Moved-1']],
    ['alter table moved alter id type bigint', []],
    ['update moved set id = 3000000000', ['Moved-1', 'Moved-3000000000']],
    ['delete from moved', ['Moved-3000000000']],
    ['alter table moved drop column gone', []],
    ['insert into moved values (1), (2)', ['Moved-1', 'Moved-2']],
    ['delete from moved', ['Moved-1', 'Moved-2']],
  ]);
  await sql.unsafe(`
    alter table moved rename column id to number;
    alter table moved rename to "Has Moved";
    create schema elsewhere;
    alter table "Has Moved" set schema elsewhere`);
  await heard(t, [
    ['insert into elsewhere."Has Moved" values (1), (2)', ['Moved-1', 'Moved-2']],
    ['truncate elsewhere."Has Moved"', ['Moved-1', 'Moved-2']],
  ]);
  await sql`alter table elsewhere."Has Moved" drop constraint moved_pkey`;
  await heard(t, [['insert into elsewhere."Has Moved" values (3)', []]]);
  await sql`alter table named rename column name to title`;
  await heard(t, [[`insert into named values ('y', 1)`, []]]);
});

t.test('a partitioned table is heard of, whatever is written to which part and when that came', async (t) => {
  await sql.unsafe(`
    create table sales (region text, id bigint, note text, primary key (id, region)) partition by list (region);
    create table sales_north partition of sales for values in ('north');
    create table sales_south (note text, region text not null, dropped int, id bigint not null);
    alter table sales_south drop column dropped;
    alter table sales attach partition sales_south for values in ('south');
    create table sales_east partition of sales for values in ('east') partition by range (id);
    create table sales_east_1 partition of sales_east for values from (0) to (100);
    select cache_outbox_watch('sales', 'Sale')`);
  const cases = [
    [
      `insert into sales values ('north', 1), ('south', 2), ('east', 3)`,
      ['Sale-1,north', 'Sale-2,south', 'Sale-3,east'],
    ],
    [`insert into sales_south (region, id) values ('south', 4)`, ['Sale-4,south']],
    [`update sales set note = 'x' where id < 3`, ['Sale-1,north', 'Sale-2,south']],
    [`update sales set region = 'south' where id = 1`, ['Sale-1,north', 'Sale-1,south']],
    [`update sales_east_1 set id = 5`, ['Sale-3,east', 'Sale-5,east']],
    [
      `insert into sales values ('south', 4), ('north', 9) on conflict (id, region) do update set note = 'again'`,
      ['Sale-4,south', 'Sale-9,north'],
    ],
    ['delete from sales where id = 9', ['Sale-9,north']],
    ['truncate sales_south', ['Sale-1,south', 'Sale-2,south', 'Sale-4,south']],
    [`insert into sales_north values ('north', 1)`, ['Sale-1,north']],
    ['truncate sales_east', ['Sale-5,east']],
    ['truncate sales', ['Sale-1,north']],
  ] as const;
  await heard(t, cases);
  await sql.unsafe(`
    create table sales_west (region text not null, id bigint not null, note text);
    insert into sales_west values ('west', 10);
    alter table sales attach partition sales_west for values in ('west');
    create table sales_east_2 partition of sales_east for values from (100) to (200)`);
  await heard(t, [
    [`update sales_west set note = 'x'`, ['Sale-10,west']],
    [`insert into sales_east_2 values ('east', 100)`, ['Sale-100,east']],
    ['truncate sales', ['Sale-10,west', 'Sale-100,east']],
  ]);
  await sql`select cache_outbox_watch('sales', 'Sale')`;
  await sql`insert into sales values ('west', 11)`;
  await heard(t, [['truncate sales_west', ['Sale-11,west']]]);
});

t.test('COPY and cascades are heard of', async (t) => {
  await sql.unsafe(`
    create table owners (id text primary key);
    create table pets (owner text references owners on delete cascade on update cascade, n int, primary key (owner, n));
    create table toys (id uuid primary key default gen_random_uuid(), owner text, n int,
      foreign key (owner, n) references pets on delete set null on update cascade) partition by hash (id);
    create table toys_0 partition of toys for values with (modulus 1, remainder 0);
    select cache_outbox_watch('owners', 'Owner'), cache_outbox_watch('pets', 'Pet'), cache_outbox_watch('toys', 'Toy')`);
  await sql`delete from cache_outbox`;
  const copy = await sql`copy owners from stdin`.writable();
  await new Promise<void>((resolve, reject) => copy.on('error', reject).on('finish', resolve).end('a\nb,c\n'));
  t.same(await sql`select entity_id from cache_outbox order by 1`, [{ entity_id: 'a' }, { entity_id: 'b,c' }]);
  await sql`insert into pets values ('a', 1), ('b,c', 1)`;
  await sql`insert into toys values (${A}, 'b,c', 1)`;
  await heard(t, [
    [`update owners set id = 'd' where id = 'b,c'`, ['Owner-b,c', 'Owner-d', 'Pet-b%2Cc,1', 'Pet-d,1', `Toy-${A}`]],
    [`delete from owners where id = 'd'`, ['Owner-d', 'Pet-d,1', `Toy-${A}`]],
    ['truncate owners cascade', ['Owner-a', 'Pet-a,1', `Toy-${A}`]],
  ]);
});

t.test('a table that several entities show is noted for each, and watched once for each', async (t) => {
  const long = 'E'.repeat(60);
  for (let i = 0; i < 2; i += 1) {
    await sql`select cache_outbox_watch('artists', 'Person'), cache_outbox_watch('artists', ${long}), cache_outbox_watch('artists', ${`${long}2`})`;
  }
  await heard(t, [
    [
      `update artists set name = 'x' where id = '${A}'`,
      ['Artist', 'Person', long, `${long}2`].map((entity) => `${entity}-${A}`),
    ],
  ]);
  // Watched again, a trigger that was there stays.
  const [before] = await sql`select max(oid) from pg_trigger`;
  await sql`select cache_outbox_watch('artists', 'Person')`;
  t.same((await sql`select max(oid) from pg_trigger`)[0], before);
  await sql`alter table artists disable trigger "cache_outbox_updated_Person"`;
  await sql`select cache_outbox_watch('artists', 'Person')`;
  t.ok(
    (await changed(`update artists set name = 'y' where id = '${A}'`)).includes(`Person-${A}`),
    'one that was off is on',
  );
});

t.test('what cannot be served is refused at once, with what to do', async (t) => {
  await sql.unsafe(`
    create view a_view as select * from artists;
    create materialized view a_summary as select * from artists;
    create foreign data wrapper nothing;
    create server elsewhere foreign data wrapper nothing;
    create foreign table a_foreign_table (id int) server elsewhere;
    create table keyless (id int);
    create table half (id int primary key, slug text, code int not null);
    create unique index on half (slug);
    create unique index on half (code) where code > 0;
    create table priced (price numeric primary key);
    create table dated (id int, day date, primary key (id, day));
    create unlogged table unlogged (id int primary key);
    create temporary table fleeting (id int primary key);
    create sequence numbers;
    create table parent (id int primary key);
    create table child (extra int) inherits (parent);
    create table far (id int) partition by list (id);
    create foreign table far_1 partition of far for values in (1) server elsewhere;
    create table read_by_nobody (id int primary key);
    create role other_program;
    grant usage on schema public to other_program`);
  t.teardown(async () => {
    await sql.unsafe('drop owned by other_program; drop role other_program');
  });
  const cases: readonly (readonly [string, RegExp])[] = [
    [`'a_view', 'X'`, /a_view is a view.*unwatched/],
    [`'a_summary', 'X'`, /a_summary is a view.*unwatched/],
    [`'a_foreign_table', 'X'`, /is a foreign table.*unwatched/],
    [`'keyless', 'X'`, /keyless has no primary key/],
    [`'half', 'X', 'slug'`, /half has no unique index on \(slug\) alone, of columns that are NOT NULL/],
    [`'half', 'X', 'code'`, /half has no unique index on \(code\)/],
    [`'half', 'X', 'id', 'code'`, /half has no unique index on \(id, code\)/],
    [`'half', 'X', 'none'`, /half has not all of the columns \(none\)/],
    [`'priced', 'X'`, /the column price of the type numeric in its key, which may be of the types uuid, text/],
    [`'dated', 'X'`, /the column day of the type date/],
    [`'unlogged', 'X'`, /is unlogged/],
    [`'fleeting', 'X'`, /temporary/],
    [`'numbers', 'X'`, /is not a table/],
    [`'sales_north', 'X'`, /is a partition: watch sales/],
    [`'parent', 'X'`, /parent has rows in child/],
    [`'child', 'X'`, /child inherits from parent/],
    [`'far', 'X'`, /has the partition far_1, a foreign table/],
    [`'artists', ''`, /expected the name of the entity/],
  ];
  for (const [what, expected] of cases) t.match(await refusal(`select cache_outbox_watch(${what})`), expected, what);
  t.same(
    await sql`select tgrelid::regclass from pg_trigger where tgname like 'cache_outbox%\\_X'`,
    [],
    'and nothing of it is left',
  );
  await sql`alter function cache_outbox_truncated() owner to other_program`;
  t.match(
    await refusal(`select cache_outbox_watch('artists', 'X')`),
    /artists cannot be read by other_program.*GRANT SELECT ON artists TO other_program/,
  );
  await sql`grant select on artists to other_program`;
  await sql`alter table artists enable row level security`;
  t.match(
    await refusal(`select cache_outbox_watch('artists', 'X')`),
    /artists has row security.*other_program BYPASSRLS/,
  );
  await sql`alter table artists disable row level security`;
  await sql`alter function cache_outbox_truncated() owner to current_user`;
  const other = openSql(t, database);
  await other`set role other_program`;
  t.match(
    await refusal(`select cache_outbox_watch('artists', 'X')`, other),
    /other_program may not make triggers on artists.*GRANT TRIGGER ON artists TO other_program/s,
  );
});

t.test('tables of others are watched by their owners, and what these write is heard of', async (t) => {
  await sql.unsafe(`
    create role their_owner;
    create schema theirs authorization their_owner;
    set role their_owner;
    create table theirs.things (id text primary key, note text);
    reset role`);
  t.teardown(async () => {
    await sql.unsafe('drop owned by their_owner cascade; drop role their_owner');
  });
  const owner = openSql(t, database);
  await owner`set role their_owner`;
  await owner`set search_path = theirs`;
  await owner`select public.cache_outbox_watch('things', 'Thing')`;
  await sql`delete from cache_outbox`;
  await owner`insert into things values ('a'), ('b')`;
  await owner`truncate things`;
  const [row] = await sql`select count(*)::int from cache_outbox where entity = 'Thing'`;
  t.same(row, { count: 4 });
});

t.test('nobody has code of theirs run as the owner of the outbox', async (t) => {
  await sql.unsafe('create role stranger; create schema strange authorization stranger');
  t.teardown(async () => {
    await sql.unsafe('drop owned by stranger cascade; drop role stranger');
  });
  const stranger = openSql(t, database);
  await stranger`set role stranger`;
  await stranger.unsafe(`
    create table strange.ran (as_whom text);
    grant all on strange.ran to public;
    create type strange.mood as enum ('bad');
    create function strange.told(strange.mood) returns text language plpgsql as $$
      begin insert into strange.ran values (current_user); return 'told'; end $$;
    create cast (strange.mood as text) with function strange.told(strange.mood);
    create table strange.alone (id strange.mood primary key);
    create table strange.both (id int, mood strange.mood, primary key (id, mood));
    create trigger a after insert on strange.alone referencing new table as inserted
      for each statement execute function public.cache_outbox_inserted('X');
    create trigger b after insert on strange.both referencing new table as inserted
      for each statement execute function public.cache_outbox_inserted('X');
    create trigger c after insert on strange.both for each row execute function public.cache_outbox_changed('X');
    create trigger d before truncate on strange.both for each statement execute function public.cache_outbox_truncated('X');
    insert into strange.alone values ('bad');
    insert into strange.both values (1, 'bad');
    truncate strange.both`);
  t.same([...(await sql`select as_whom from strange.ran`)], []);
});
