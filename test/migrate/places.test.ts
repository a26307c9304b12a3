import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as migrateWithDrizzle } from 'drizzle-orm/postgres-js/migrator';
import { t } from 'tap';
import { migrate } from '../../src/migrate/index.ts';
import { connect } from '../support/connect.ts';
import { emptyDatabase, FIRST, NOTHING, writeMigrations } from './support.ts';

/** The URL with other names of schemas, quoted, as the search path. */
function inPath(url: string, path: string): string {
  return `${url}?options=${encodeURIComponent(`-c search_path=${path.replaceAll(' ', '\\ ')}`)}`;
}

for (const schema of ['MyShop', 'my shop', 'my.shop', 'my"shop']) {
  t.test(`a schema may be named ${schema}`, async (t) => {
    const { url, sql } = await emptyDatabase(t);
    const quoted = `"${schema.replaceAll('"', '""')}"`;
    const migrations = writeMigrations(t.testdir(), [FIRST]);
    const lines: string[] = [];
    const log = (line: string) => lines.push(line);
    await migrate({ postgres: { url }, schema, log });
    await migrate({ postgres: { url }, schema, log });
    t.equal(lines.at(-1), NOTHING, 'with the option');
    const address = inPath(url, quoted);
    await migrate({ postgres: { url: address }, migrations, log });
    t.equal(lines.at(-1), 'applied 0000_first');
    await migrate({ postgres: { url: address }, migrations, log });
    t.equal(lines.at(-1), NOTHING, 'and in the search path');

    const other = connect(t, address);
    await other`create table things (id int primary key)`;
    await other`select cache_outbox_watch('things', 'Thing')`;
    await other`insert into things values (1)`;
    t.match(await sql.unsafe(`select entity from ${quoted}.cache_outbox`), [{ entity: 'Thing' }]);
    const paths = await sql<{ path: string }[]>`
      select setting as path from pg_proc, unnest(proconfig) setting where setting like 'search\\_path=%'`;
    t.ok(paths.length > 0);
    t.same(
      paths.filter(({ path }) => !path.endsWith(', pg_temp')),
      [],
      'temporary tables are looked at last',
    );
  });
}

t.test('a role that may make no schemas, and read no journal of others, migrates in its own', async (t) => {
  const { url, sql } = await emptyDatabase(t);
  const folder = writeMigrations(t.testdir(), [FIRST]);
  await migrateWithDrizzle(drizzle(sql), { migrationsFolder: folder });
  await sql.unsafe(`
    create role shop_owner login password 'secret';
    create schema shop authorization shop_owner;
    grant usage, create on schema public to shop_owner`);
  t.teardown(async () => {
    await sql.unsafe('drop owned by shop_owner cascade; drop role shop_owner');
  });
  const address = new URL(url);
  address.username = 'shop_owner';
  address.password = 'secret';
  const lines: string[] = [];
  const migrateIn = (schema: object) =>
    migrate({ postgres: { url: address.href }, log: (line) => lines.push(line), ...schema });
  for (const schema of [{ schema: 'shop' }, {}]) {
    lines.length = 0;
    await migrateIn(schema);
    t.match(lines[0], /^applied larder\/0001_/);
    await migrateIn(schema);
    t.equal(lines.at(-1), NOTHING);
  }
});

t.test(
  'what Drizzle has applied in another schema than public is not applied again, and how to say so is',
  async (t) => {
    const { url, sql } = await emptyDatabase(t);
    await sql`create schema shop`;
    const folder = writeMigrations(t.testdir(), [FIRST]);
    const address = inPath(url, 'shop');
    const shop = connect(t, address);
    await migrateWithDrizzle(drizzle(shop), { migrationsFolder: folder });
    const again = migrate({ postgres: { url: address }, migrations: folder });
    const refused = await again.then(
      () => '',
      (error: Error) => error.message,
    );
    t.match(refused, /^0000_first failed at statement 1 of 1:.*relation "first" already exists \(42P07\)/s);
    const advice = refused
      .split('\n')
      .filter((line) => /^ {4}(create table if not exists|insert into) "shop"/.test(line));
    t.equal(advice.length, 2);
    await sql.unsafe(advice.join('')).simple();
    const lines: string[] = [];
    await migrate({ postgres: { url: address }, migrations: folder, log: (line) => lines.push(line) });
    t.match(lines.at(-1), /^applied larder/, 'and nothing of the folder');
    await migrateWithDrizzle(drizzle(shop), { migrationsFolder: folder, migrationsSchema: 'shop' });
    t.same(await sql`select from shop.__drizzle_migrations`, [{}], 'Drizzle agrees when it is told the schema');
  },
);

t.test('a migration whose text was corrected keeps the hash that databases of 0.2 have recorded', async (t) => {
  const { url, sql } = await emptyDatabase(t);
  await migrate({ postgres: { url } });
  t.match(await sql`select hash from cache_migrations where key = '0005_temporary_tables'`, [
    { hash: '47b9bd8e81f1f4a555a8e0fad5611d5a8402ab5a9414e524e6035b255feb75aa' },
  ]);
});
