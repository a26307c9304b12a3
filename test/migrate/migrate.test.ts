import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as migrateWithDrizzle } from 'drizzle-orm/postgres-js/migrator';
import type { Sql } from 'postgres';
import { t } from 'tap';
import { CAMPAIGN_MIGRATIONS, migrateDatabase } from '../../src/app/migrate.ts';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { MigrationError, migrate as migrateAll } from '../../src/migrate/index.ts';
import { isMigrated } from '../../src/migrate/migrate.ts';
import { connect } from '../support/connect.ts';
import { globalId } from '../support/data.ts';
import { runCli } from '../support/run-cli.ts';
import { openServer } from '../support/server.ts';
import { freshRedis } from '../support/services.ts';
import { until } from '../support/until.ts';
import { emptyDatabase, FIRST, NOTHING, writeMigrations } from './support.ts';

/** All but Larder's own. */
async function tables(sql: Sql): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select table_name as name from information_schema.tables 
    where table_schema in ('public', 'drizzle') and table_name not like 'cache%' order by 1`;
  return rows.map((row) => row.name);
}

/** What is said of all but Larder's own migrations, as it is said and in the end. */
async function migrate(url: string, folder: string, lines: string[] = []): Promise<string[]> {
  const log = (line: string) => {
    if (!line.startsWith('applied larder/')) lines.push(line);
  };
  await migrateAll({ postgres: { url }, migrations: folder, log });
  return lines;
}

const WAITING = 'Waiting for another process that is migrating this database.';

/** An advisory lock of the test's own. */
const HELD = 4711;

const BRAND = `{ node(id: "${globalId('Brand', 1)}") { ... on Brand { name } } }`;
const SECOND = { name: '0001_second', when: 2000, sql: 'create table second (id int);' };

t.test('the command migrates an empty database, and the second time does nothing and says so', async (t) => {
  const { url, sql } = await emptyDatabase(t);
  const first = await runCli('migrate', [], { DATABASE_URL: url });
  t.equal(first.code, 0, first.stderr);
  t.match(first.stdout, /^applied 0000_\w+$/m);
  const after = await tables(sql);
  t.ok(
    ['__drizzle_migrations', 'brands', 'campaign_events', 'campaigns', 'events'].every((name) => after.includes(name)),
  );
  const journal = await sql`select * from drizzle.__drizzle_migrations order by id`;

  const second = await runCli('migrate', [], { DATABASE_URL: url });
  t.match(second, { code: 0, stdout: `${NOTHING}\n`, stderr: '' });
  t.strictSame(await sql`select * from drizzle.__drizzle_migrations order by id`, journal);
});

t.test('a Postgres that is too old is refused, and left as it was', async (t) => {
  const { url, sql } = await emptyDatabase(t);
  // Found before that of Postgres, it says what an older one would.
  await sql`create schema old`;
  await sql`create function old.current_setting(name text) returns text language sql as $$
    select case name when 'server_version_num' then '130014' when 'server_version' then '13.14'
      else pg_catalog.current_setting(name) end $$`;
  const older = `${url}?options=${encodeURIComponent('-c search_path=old,pg_catalog,public')}`;
  const { code, stdout, stderr } = await runCli('migrate', [], { DATABASE_URL: older });
  t.equal(code, 1);
  t.equal(stdout, '');
  t.equal(stderr, 'Larder needs Postgres 14 or later, and this is 13.14. Upgrade Postgres, then migrate again.\n');
  t.strictSame(await tables(sql), []);
});

t.test('the command prints the failing statement and leaves the database alone', async (t) => {
  const { url, sql } = await emptyDatabase(t);
  await sql`create table campaigns (mine int)`;
  const { code, stdout, stderr } = await runCli('migrate', [], { DATABASE_URL: url });
  t.equal(code, 1);
  t.equal(stdout, '', 'nothing claims to be applied');
  t.match(stderr, /^0000_\w+ failed at statement \d+ of \d+:\n\n {4}CREATE TABLE "campaigns" \(\n/);
  t.match(stderr, '"brand_id" bigint NOT NULL');
  t.match(stderr, 'Postgres says: relation "campaigns" already exists (42P07)');
  t.notMatch(stderr, /^\s+at /m, 'no stack');
  t.strictSame(await tables(sql), ['campaigns']);
});

t.test('the command explains itself, and refuses what it does not understand', async (t) => {
  const help = await runCli('migrate', ['--help'], {});
  t.match(help, { code: 0, stdout: /npm run db:migrate/, stderr: '' });
  t.match(await runCli('migrate', ['now'], {}), { code: 2, stderr: /Unexpected argument: now/ });
  t.match(await runCli('migrate', [], {}), { code: 1, stderr: /DATABASE_URL/ });
  const unreachable = await runCli('migrate', [], { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' });
  t.match(unreachable, { code: 1, stderr: /Postgres cannot be reached .*\nStart it, or correct DATABASE_URL/ });
  t.notMatch(unreachable.stderr, /^\s+at /m);
});

t.test('two processes at once: one migrates, the other finds it done', async (t) => {
  const { url, sql } = await emptyDatabase(t);
  const both = await Promise.all([1, 2].map(() => runCli('migrate', [], { DATABASE_URL: url })));
  t.strictSame(
    both.map(({ code, stderr }) => ({ code, stderr })),
    Array(2).fill({ code: 0, stderr: '' }),
  );
  t.equal(both.filter(({ stdout }) => stdout.endsWith(`${NOTHING}\n`)).length, 1);
  const twice = await sql`select hash from drizzle.__drizzle_migrations group by hash having count(*) > 1`;
  t.equal(twice.length, 0);
});

t.test('who comes second waits, and says why', async (t) => {
  const { url, sql } = await emptyDatabase(t);
  const folder = writeMigrations(t.testdir(), [
    // It waits for the test, for as long as that takes.
    { ...FIRST, sql: `set local lock_timeout = 0; select pg_advisory_xact_lock(${HELD}); ${FIRST.sql}` },
  ]);
  const said: string[][] = [[], []];
  const migrating: Promise<unknown>[] = [];
  await sql.begin(async (held) => {
    await held`select pg_advisory_xact_lock(${HELD})`;
    for (const lines of said) migrating.push(migrate(url, folder, lines));
    await until('the second waits', () => said.flat().includes(WAITING));
  });
  await Promise.all(migrating);
  t.strictSame(
    said.sort((a, b) => a.length - b.length),
    [['applied 0000_first'], [WAITING, NOTHING]],
  );
  t.strictSame(await tables(sql), ['__drizzle_migrations', 'first']);
});

t.test('a failing statement rolls back all migrations of the run', async (t) => {
  const { url, sql } = await emptyDatabase(t);
  const folder = t.testdir();
  const broken = {
    ...SECOND,
    sql: `${SECOND.sql}\n--> statement-breakpoint\nalter table second\n  add column nope typo;`,
  };
  writeMigrations(folder, [FIRST, broken]);
  await t.rejects(migrate(url, folder), {
    name: 'MigrationError',
    message:
      /^0001_second failed at statement 2 of 2:\n\n {4}alter table second\n {6}add column nope typo;\n\nPostgres says: type "typo" does not exist \(42704\)/,
  });
  t.strictSame(await tables(sql), [], 'the first migration is gone too, and so is the list of migrations');

  writeMigrations(folder, [FIRST, SECOND]);
  t.strictSame(await migrate(url, folder), ['applied 0000_first', 'applied 0001_second'], 'and once it is corrected:');
  t.strictSame(await tables(sql), ['__drizzle_migrations', 'first', 'second']);
});

t.test('a failure leaves alone what an earlier run applied', async (t) => {
  const { url, sql } = await emptyDatabase(t);
  const folder = writeMigrations(t.testdir(), [FIRST]);
  await migrate(url, folder);
  writeMigrations(folder, [FIRST, { ...SECOND, sql: 'create table second (id int); create table first (id int);' }]);
  await t.rejects(migrate(url, folder), MigrationError);
  t.strictSame(await tables(sql), ['__drizzle_migrations', 'first']);
});

t.test('a migration that a merge brings in late is applied', async (t) => {
  const { url } = await emptyDatabase(t);
  const folder = writeMigrations(t.testdir(), [SECOND]);
  await migrate(url, folder);
  writeMigrations(folder, [FIRST, SECOND]);
  t.strictSame(await migrate(url, folder), ['applied 0000_first']);
});

t.test('a migration that was edited after it was applied is refused', async (t) => {
  const { url, sql } = await emptyDatabase(t);
  const folder = writeMigrations(t.testdir(), [FIRST]);
  await migrate(url, folder);
  writeMigrations(folder, [{ ...FIRST, sql: 'create table first (id bigint);' }, SECOND]);
  await t.rejects(migrate(url, folder), { message: /^0000_first was edited after it was applied/ });
  t.strictSame(await tables(sql), ['__drizzle_migrations', 'first'], 'and so is what comes after it');
});

t.test("Drizzle's own migrator agrees about what is applied", async (t) => {
  const { url, sql } = await emptyDatabase(t);
  const folder = writeMigrations(t.testdir(), [FIRST]);
  await migrate(url, folder);
  writeMigrations(folder, [FIRST, SECOND]);
  await migrateWithDrizzle(drizzle(sql), { migrationsFolder: folder });
  t.strictSame(await tables(sql), ['__drizzle_migrations', 'first', 'second']);
  t.strictSame(await migrate(url, folder), [NOTHING]);
});

t.test('a database may have the tables in another schema than public, and several times', async (t) => {
  const { url, sql } = await emptyDatabase(t);
  const inSchema = `${url}?options=${encodeURIComponent('-c search_path=second')}`;
  await t.rejects(migrateDatabase(inSchema), { name: 'MigrationError', message: /create schema/ });
  await sql`create schema second`;
  for (const address of [inSchema, url]) {
    const lines: string[] = [];
    await migrateDatabase(address, (line) => lines.push(line));
    t.match(lines[0], /^applied larder\/0001_/, 'all of it, whatever the other schema has');
    await migrateDatabase(address, (line) => lines.push(line));
    t.equal(lines.at(-1), NOTHING);
  }
  const keys = await sql<{ child: string; parent: string }[]>`
    select child.nspname as child, parent.nspname as parent
    from pg_constraint c
    join pg_class a on a.oid = c.conrelid join pg_namespace child on child.oid = a.relnamespace
    join pg_class b on b.oid = c.confrelid join pg_namespace parent on parent.oid = b.relnamespace
    where contype = 'f'`;
  t.equal(keys.filter(({ child }) => child === 'second').length, 3);
  t.same(
    keys.filter(({ child, parent }) => child !== parent),
    [],
    'no table refers to one of another schema',
  );
});

t.test('a server works in another schema', async (t) => {
  const { url, sql } = await emptyDatabase(t);
  await sql`create schema second`;
  const address = `${url}?options=${encodeURIComponent('-c search_path=second')}`;
  await migrateDatabase(address);
  const server = await openServer(t, { database: { url: address }, redis: await freshRedis(t) });
  await sql`insert into second.brands (id, name) values (1, 'one')`;
  const name = async () => (await server.query<{ node: { name: string } }>(BRAND)).data?.node?.name;
  t.equal(await name(), 'one');
  await sql`update second.brands set name = 'two' where id = 1`;
  await until('the outbox of that schema has told of it', async () => (await name()) === 'two');
});

t.test('a migration that waits for a lock lets readers through, and tries again', async (t) => {
  const { url, sql } = await emptyDatabase(t);
  const folder = writeMigrations(t.testdir(), [FIRST]);
  await migrate(url, folder);
  writeMigrations(folder, [
    FIRST,
    { ...SECOND, sql: 'create table second (id int); alter table first add column more int;' },
  ]);
  const reader = connect(t, url);
  const holder = connect(t, url);
  const lines: string[] = [];
  let migrating: Promise<void> | null = null;
  await holder.begin(async (transaction) => {
    await transaction`select from first`;
    migrating = migrateAll({ postgres: { url }, migrations: folder, log: (line) => lines.push(line) });
    await until('it has tried', () => lines.length > 0);
    await reader`select from first`;
    t.strictSame(await tables(sql), ['__drizzle_migrations', 'first'], 'a try leaves nothing behind');
  });
  await migrating;
  t.match(lines[0], /^0001_second did not get a lock within 1000 ms at statement 1: .* Trying again \(2 of 40\)\.$/);
  t.equal(lines.at(-1), 'applied 0001_second');
});

t.test('a lock that is never to be had is said, with what to do', async (t) => {
  const { url, sql } = await emptyDatabase(t);
  const folder = writeMigrations(t.testdir(), [FIRST]);
  await migrate(url, folder);
  writeMigrations(folder, [FIRST, { ...SECOND, sql: 'drop table first;' }]);
  const holder = connect(t, url);
  await holder.begin(async (transaction) => {
    await transaction`select from first`;
    await t.rejects(migrateAll({ postgres: { url }, migrations: folder, tries: 2 }), {
      name: 'MigrationError',
      message: /^0001_second did not get a lock within 1000 ms at statement 1 2 times in a row.*\n.*pg_stat_activity/,
    });
  });
  t.strictSame(await tables(sql), ['__drizzle_migrations', 'first']);
});

/** Brings a database to where it was when Larder's migrations stood among the campaigns', and had come so far. */
async function migrateAsBefore(sql: Sql, last: number): Promise<void> {
  const text = (folder: string, file: string) => readFileSync(join(REPOSITORY, folder, file), 'utf8');
  const own = 'src/migrate/sql';
  const watch = ['brands', 'Brand', 'campaigns', 'Campaign', 'events', 'Event'];
  const former = [
    ['1795372501522', text('drizzle', '0000_init.sql')],
    ['1795374396992', text(own, '0001_cache_outbox.sql')],
    [
      '1795374398353',
      `${text(own, '0002_cache_outbox_triggers.sql')};
      ${watch.flatMap((name, i) => (i % 2 === 0 ? [`select cache_outbox_watch('${name}', '${watch[i + 1]}');`] : [])).join('')}`,
    ],
    ['1795867268608', text(own, '0003_cache_domains.sql')],
  ] as const;
  await sql`create schema drizzle`;
  await sql`create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`;
  for (const [when, statements] of former.slice(0, last + 1)) {
    const hash = when === '1795372501522' ? createHash('sha256').update(statements).digest('hex') : `hash of ${when}`;
    await sql.unsafe(statements).simple();
    await sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${when})`;
  }
}

const LATER = [
  'applied larder/0004_any_table',
  'applied larder/0005_temporary_tables',
  'applied larder/0006_watch_in_turn',
  'applied larder/0007_silent_partitions',
  'applied larder/0008_ids_apart',
  'applied 0001_watch',
];

for (const [last, applied] of [
  [3, LATER],
  [2, ['applied larder/0003_cache_domains', ...LATER]],
] as const) {
  t.test(
    `a database that was migrated up to 000${last} when Larder's migrations were the campaigns' goes on`,
    async (t) => {
      const { url, sql } = await emptyDatabase(t);
      await migrateAsBefore(sql, last);
      await sql`insert into brands (id, name) values (1, 'kept')`;
      t.equal(await isMigrated({ postgres: { url }, migrations: CAMPAIGN_MIGRATIONS }), false);
      const { code, stdout, stderr } = await runCli('migrate', [], { DATABASE_URL: url });
      t.match({ code, stderr }, { code: 0, stderr: '' });
      t.same(stdout.trim().split('\n'), applied);
      t.equal(await isMigrated({ postgres: { url }, migrations: CAMPAIGN_MIGRATIONS }), true);
      const triggers = await sql`select from pg_trigger where tgname like 'cache_outbox%'`;
      t.equal(triggers.length, 12, 'each table is watched once');

      const server = await openServer(t, { database: { url }, redis: await freshRedis(t) });
      const name = async () => (await server.query<{ node: { name: string } }>(BRAND)).data?.node?.name;
      t.equal(await name(), 'kept');
      await sql`update brands set name = 'changed' where id = 1`;
      await until('the outbox tells of changes', async () => (await name()) === 'changed');
    },
  );
}

t.test("Larder's own migrations leave the tables of others alone, and may have a schema of their own", async (t) => {
  const { url, sql } = await emptyDatabase(t);
  await sql`create table authors (id bigint primary key generated by default as identity, name text)`;
  await sql`insert into authors (name) values ('Ada')`;
  const before = await sql`select oid, relname, relkind from pg_class where relname = 'authors'`;
  const lines: string[] = [];
  await migrateAll({ postgres: { url }, schema: 'larder', log: (line) => lines.push(line) });
  t.match(lines[0], /^applied larder\/0001_/);
  t.same(await tables(sql), ['authors'], 'and nothing of theirs, no journal of Drizzle either');
  t.same(await sql`select oid, relname, relkind from pg_class where relname = 'authors'`, before);
  await migrateAll({ postgres: { url }, schema: 'larder', log: (line) => lines.push(line) });
  t.equal(lines.at(-1), NOTHING);
  await sql`set search_path to public, larder`;
  await sql`select cache_outbox_watch('authors', 'Author')`;
  await sql`update authors set name = 'Grace'`;
  t.match(await sql`select entity from larder.cache_outbox`, [{ entity: 'Author' }]);
});
