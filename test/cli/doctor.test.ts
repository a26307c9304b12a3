import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pino } from 'pino';
import { t } from 'tap';
import { assemble } from '../../src/app/assemble.ts';
import { readConfig } from '../../src/app/config.ts';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { runCli } from '../support/run-cli.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase } from '../support/services.ts';
import { until } from '../support/until.ts';

const LACKING = 'CREATE INDEX CONCURRENTLY ON "campaigns" ("brand_id", "id");';

t.test('the doctor says which index is missing, as SQL that makes it', async (t) => {
  const database = await freshDatabase(t);
  const sql = openSql(t, database);
  const env = { DATABASE_URL: database.url };
  t.same(await runCli('doctor', [], env), { code: 0, stdout: '-- Nothing is missing.\n', stderr: '' });
  await sql`drop index campaigns_by_brand`;
  const { code, stdout } = await runCli('doctor', [], env);
  t.equal(code, 1);
  t.equal(
    stdout,
    `-- Campaign.ofBrand by ID: A page of Campaign.ofBrand by ID reads more than it shows: "campaigns" has no index in this order.\n${LACKING}\n`,
  );
  await sql.unsafe(stdout);
  t.equal((await runCli('doctor', [], env)).code, 0, 'and what it says is all that is to be done');
});

t.test('npx larder doctor does it for the entities of any module', async (t) => {
  const database = await freshDatabase(t);
  const sql = openSql(t, database);
  await sql`create table notes (id uuid, title text, written date)`;
  await sql`create table rooms (id uuid primary key, floor_number int not null)`;
  const directory = t.testdir({
    'larder.ts': `import { date, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core';
      import { createLarder, entity } from '${join(REPOSITORY, 'src', 'index.ts')}';
      const notes = pgTable('notes', { id: uuid('id').primaryKey(), title: text('title').notNull(), written: date('written') });
      const rooms = pgTable('rooms', { id: uuid().primaryKey(), floorNumber: integer().notNull(), door: text('door') });
      const gone = pgTable('gone', { id: uuid('id').primaryKey() });
      const entities = {
        Note: entity(notes, { lists: { all: { orders: { TITLE: notes.title, WRITTEN: { desc: notes.written, nulls: 'last' } } } } }),
        Gone: entity(gone),
        Room: entity(rooms, { lists: { all: { orders: { FLOOR: rooms.floorNumber } } } }),
      };
      export const larder = createLarder({ entities, postgres: { url: process.env.DATABASE_URL } });`,
    'none.ts': 'export const other = 1;',
  });
  const run = (args: readonly string[], env: NodeJS.ProcessEnv = { DATABASE_URL: database.url }) => {
    const bin = join(REPOSITORY, 'src', 'commands', 'larder.ts');
    const { PATH, HOME } = process.env;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import=tsx', bin, ...args], {
      cwd: REPOSITORY,
      env: { PATH, HOME, ...env },
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  const { status, stdout } = run(['doctor', join(directory, 'larder.ts')]);
  t.equal(status, 1);
  t.same(
    stdout.split('\n').filter((line) => line !== ''),
    [
      '-- Note: The key of "notes" is not unique: a read by id may answer one row or another, and reads the whole table.',
      'CREATE UNIQUE INDEX CONCURRENTLY ON "notes" ("id");',
      '-- Gone, Gone.all: There is no table "gone".',
      `-- Room, Room.all: "rooms" has no column "floorNumber", "door". Drizzle's option casing is not heeded: name the column, as in integer('made_year').`,
      '-- Note.all by TITLE: A page of Note.all by TITLE reads more than it shows: "notes" has no index in this order.',
      'CREATE INDEX CONCURRENTLY ON "notes" ("title", "id");',
      '-- Note.all by WRITTEN: A page of Note.all by WRITTEN reads more than it shows: "notes" has no index in this order.',
      'CREATE INDEX CONCURRENTLY ON "notes" ("written" NULLS FIRST, "id");',
      '-- Note.all: "notes".title is notNull() in Drizzle and may be NULL in the database: such rows are missing from the list.',
      '-- Note.all: "notes".id is notNull() in Drizzle and may be NULL in the database: such rows are missing from the list.',
    ],
  );
  t.match(run(['doctor', join(directory, 'none.ts')]), { status: 2, stderr: /exports no `larder`/ });
  t.match(run(['doctor']), { status: 2, stderr: /Which module\?/ });
});

t.test('a server says it when it starts in development, and not in production', async (t) => {
  const database = await freshDatabase(t);
  await openSql(t, database)`drop index campaigns_by_brand`;
  for (const [mode, expected] of [
    ['production', []],
    ['development', [LACKING]],
  ] as const) {
    const said: { statement?: string }[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => said.push(JSON.parse(line)) });
    const env = { NODE_ENV: mode, DATABASE_URL: database.url, PORT: '0', METRICS_PORT: '0', INSPECT: 'off' };
    const server = await assemble(readConfig(env), log);
    t.teardown(server.close);
    const statements = () => said.flatMap(({ statement }) => statement ?? []);
    await until('it has looked', async () => statements().length >= expected.length);
    t.same(statements(), expected, mode);
  }
});
