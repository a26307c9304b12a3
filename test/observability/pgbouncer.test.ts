import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { sql as drizzleSql } from 'drizzle-orm';
import { type Test, t } from 'tap';
import { entities } from '../../src/app/entities.ts';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { createLarder } from '../../src/larder.ts';
import { openDatabase } from '../../src/postgres/client.ts';
import { type Block, blocks, pageText } from '../docs/document.ts';
import { globalId, makeData } from '../support/data.ts';
import { migrateDatabase } from '../support/migrate-database.ts';
import { type PgbouncerOptions, pgbouncerVersion, startPgbouncer } from '../support/pgbouncer.ts';
import { runCli } from '../support/run-cli.ts';
import { openServer, openSql } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { bearer, JWT_SECRET } from '../support/token.ts';
import { until } from '../support/until.ts';

const DOCUMENTED = blocks(pageText('docs/operations.md'));
const textOf = (which: (block: Block) => boolean) => DOCUMENTED.find(which)?.text ?? '';
const INI = textOf(({ language }) => language === 'ini');
const SETTINGS = textOf(({ text }) => text.includes('ALTER ROLE'));
const RIGHTS = textOf(({ text }) => text.includes('CREATE ROLE'));

/** The first version that keeps prepared statements. */
const PREPARES = 1021;

/** A pgbouncer in transaction mode that asks nobody for a password. */
const TRUSTING = `[pgbouncer]
listen_addr = 127.0.0.1
listen_port = PORT
unix_socket_dir =
auth_type = any
pool_mode = transaction
`;

async function through(t: Test, databaseUrl: string, options: PgbouncerOptions): Promise<URL> {
  const url = new URL(databaseUrl);
  url.port = String(await startPgbouncer(t, options));
  return url;
}

/** A pgbouncer that leads to one database as the owner of that. */
function trusting(t: Test, databaseUrl: string): Promise<URL> {
  const { hostname, port, username, password, pathname } = new URL(databaseUrl);
  const target = `host=${hostname} port=${port} user=${username} password=${password}`;
  return through(t, databaseUrl, { config: `[databases]\n${pathname.slice(1)} = ${target}\n${TRUSTING}` });
}

/**
 * The documented pgbouncer, with few connections for many clients, before a database and a role of the test's own, whose statements may take
 * as long as a busy machine needs.
 */
async function documented(t: Test, limit = '60s') {
  const template = await freshDatabase(t);
  const admin = openSql(t, template);
  const id = randomBytes(4).toString('hex');
  const name = `pooled_${id}`;
  const role = `larder_pooled_${id}`;
  await admin`create database ${admin(name)}`;
  const direct = new URL(template.url);
  direct.pathname = `/${name}`;
  const sql = openSql(t, { url: direct.href });
  const version = await pgbouncerVersion();
  const config = INI.replace(/^larder = .*/m, `${name} = host=${direct.hostname} port=${direct.port} dbname=${name}`)
    .replace('listen_addr = 0.0.0.0', 'listen_addr = 127.0.0.1\nunix_socket_dir =')
    .replace('listen_port = 6432', 'listen_port = PORT')
    .replace('/etc/pgbouncer', 'DIRECTORY')
    .replace('default_pool_size = 20', 'default_pool_size = 3')
    .replace(/^;(?=max_prepared_statements)/m, version >= PREPARES ? '' : ';');
  const users = { [direct.username]: direct.password, [role]: 'secret' };
  const owner = await through(t, direct.href, { config, users });
  owner.searchParams.set('pgbouncer', 'true');
  owner.searchParams.set('connect_timeout', '60');
  t.teardown(async () => {
    await sql.unsafe(`drop owned by ${role}; drop role ${role}`);
    await sql.end();
    await admin`drop database ${admin(name)} with (force)`;
  });
  await migrateDatabase(owner.href);
  await sql.unsafe(`${RIGHTS}${SETTINGS.replaceAll("'5s'", `'${limit}'`)}`.replaceAll('larder_server', role));
  const server = new URL(owner);
  server.username = role;
  server.password = 'secret';
  const prepares = version >= PREPARES;
  if (prepares) server.searchParams.set('prepared_statements', 'true');
  else t.comment(`pgbouncer ${version} keeps no prepared statements: they are left out`);
  return { direct: direct.href, owner: owner.href, url: server.href, sql, prepares };
}

t.test('what a pooler refuses is named in its words, with what to do', async (t) => {
  const database = await freshDatabase(t);
  const url = await trusting(t, database.url);
  const child = spawn(process.execPath, ['--import=tsx', 'src/main.ts'], {
    cwd: REPOSITORY,
    env: { ...process.env, NODE_ENV: 'production', DATABASE_URL: url.href, PORT: '0', METRICS_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const address = () => /listening at (http:\/\/[\d.]+:\d+)/.exec(said)?.[1];
  await until('the server listens', () => address() !== undefined, 120);
  await until('the log names it', () => /08P01[^\n]*unsupported startup parameter: \w+/.test(said));
  await until('and says what to do', () => /unsupported startup parameter[^\n]*pgbouncer=true/.test(said));
  const answer = await fetch(`${address()}/graphql?query=%7Bbrands%7BtotalCount%7D%7D`);
  t.equal(answer.status, 503);
  t.match(await (await fetch(`${address()}/readyz`)).json(), { status: 'unavailable', postgres: false });
});

t.test(
  'servers do all that they do through pgbouncer as documented, with fewer connections than clients',
  async (t) => {
    const [{ direct, owner, url, sql }, redis] = await Promise.all([documented(t), freshRedis(t)]);
    await makeData(sql, { brands: 5, campaigns: 60, events: 120, perCampaign: 8 });
    // Sixty ask at once, and three connections answer.
    const env = { JWT_SECRET, STATEMENT_TIMEOUT_MS: '60000', REQUEST_TIMEOUT_MS: '60000' };
    const [a, b, plain] = await Promise.all([
      openServer(t, { database: { url }, redis, env }),
      openServer(t, { database: { url }, redis, env }),
      openServer(t, { database: { url: direct }, redis: null, env }),
    ]);
    await until('all are ready', async () =>
      (await Promise.all([a, b].map(async (server) => (await fetch(`${server.url}/readyz`)).text()))).every((text) =>
        text.includes('"status":"ready"'),
      ),
    );
    const questions = Array.from({ length: 60 }, (_, i) => {
      const id = globalId('Campaign', 1 + i);
      return `{ campaign(id: "${id}") { title brand { name } }
      campaigns(first: ${1 + (i % 7)}, after: null) { nodes { title events(first: ${1 + (i % 3)}, startsAfter: "2026-01-01T00:00:00.00000${i % 9}Z") { totalCount nodes { startsAt title } } } } }`;
    });
    const expected = await Promise.all(questions.map((question) => plain.ask<object>(question)));
    const rename = (i: number) =>
      a.query(
        `mutation { updateBrand(input: { id: "${globalId('Brand', 1)}", name: "name ${i}" }) { brand { name } } }`,
        {},
        bearer(),
      );
    const [answers, renamed] = await Promise.all([
      // Brand 1 is renamed meanwhile, and is asked for apart.
      Promise.all(questions.map((question, i) => (i % 2 === 0 ? a : b).ask<object>(question))),
      Promise.all(Array.from({ length: 20 }, (_, i) => rename(i))),
    ]);
    const withoutBrands = (data: unknown) => JSON.stringify(data).replace(/"brand":\{[^}]*\}/g, '');
    t.same(answers.map(withoutBrands), expected.map(withoutBrands), 'many that ask at once get their own answers');
    t.same(renamed.map(({ errors }) => errors).filter(Boolean), [], 'and none of those who write is refused');

    const brand = globalId('Brand', 1);
    t.match(await rename(100), { data: { updateBrand: { brand: { name: 'name 100' } } } });
    const nameAt = async (server: typeof a) =>
      (await server.ask<{ node: { name: string } }>(`{ node(id: "${brand}") { ... on Brand { name } } }`)).node.name;
    t.same(
      await Promise.all([a, b].map(nameAt)),
      ['name 100', 'name 100'],
      'a mutation is seen by id everywhere at once',
    );
    await sql`update brands set name = 'by psql' where id = 1`;
    await until('the outbox has told of it', async () =>
      (await Promise.all([a, b].map(nameAt))).every((name) => name === 'by psql'),
    );
    await until('the outbox is empty', async () => (await sql`select from cache_outbox limit 1`).length === 0);

    const settings = { DATABASE_URL: owner, REDIS_URL: redis.url };
    const { code, stderr } = await runCli('forget', [], settings);
    t.same({ code, stderr }, { code: 0, stderr: '' }, 'npm run forget');
    const seeded = await runCli('seed', ['--replace', '--campaigns', '5', '--events', '10'], settings);
    t.match(seeded, { code: 0 }, seeded.stderr);
  },
);

t.test('the limits and plans of a direct connection hold through pgbouncer, too', async (t) => {
  const { url, prepares } = await documented(t, '5s');
  const NAMES = ['statement_timeout', 'idle_in_transaction_session_timeout', 'plan_cache_mode', 'jit', 'DateStyle'];
  const asked = `select ${NAMES.map((name) => `current_setting('${name}') as "${name}"`).join(', ')}`;
  const database = openDatabase({ url, poolSize: 2, statementTimeoutMs: 60_000 });
  t.teardown(() => database.close());
  const wanted = {
    statement_timeout: '5s',
    idle_in_transaction_session_timeout: '5s',
    plan_cache_mode: 'force_generic_plan',
    jit: 'off',
    DateStyle: 'ISO, MDY',
  };
  t.same({ ...(await database.query<object>(asked))[0] }, wanted, 'a read has what its role has');
  const text = 'select count(*)::int as prepared, $1::int as given from pg_prepared_statements';
  for (const given of [1, 2, 3]) {
    const [row] = await database.query<{ prepared: number; given: number }>(text, [String(given)]);
    t.equal(row?.given, given);
    t.equal((row?.prepared ?? 0) > 0, prepares, 'statements are prepared where pgbouncer keeps them');
  }
  await using larder = await createLarder({ entities, postgres: { url, statementTimeoutMs: 70_000 }, redis: null });
  const own = await larder.transaction(async (transaction) => (await transaction.execute(drizzleSql.raw(asked)))[0]);
  const longer = { statement_timeout: '70s', idle_in_transaction_session_timeout: '70s' };
  t.same({ ...own }, { ...wanted, ...longer }, 'a transaction has what its server has');
  t.same({ ...(await database.query<object>(asked))[0] }, wanted, 'and nothing of it is left behind');
});

t.test('a column that has another type than before is read on, by whichever connection', async (t) => {
  const { url, sql } = await documented(t);
  await sql`insert into brands (id, name) values (1, 'one')`;
  const database = openDatabase({ url, poolSize: 3, statementTimeoutMs: 60_000 });
  t.teardown(() => database.close());
  const text = 'select name from brands where id = $1::bigint';
  for (const type of ['varchar(300)', 'text', 'varchar(400)']) {
    const read = () => Promise.all(Array.from({ length: 12 }, () => database.query<object>(text, ['1'])));
    t.equal((await read()).flat().length, 12);
    await sql.unsafe(`alter table brands alter name type ${type}`);
    t.equal((await read()).flat().length, 12, type);
  }
});

t.test('a role whose settings change the text of values is refused, with the statement that mends it', async (t) => {
  const database = await freshDatabase(t);
  const sql = openSql(t, database);
  const url = await trusting(t, database.url);
  url.searchParams.set('pgbouncer', 'true');
  await sql.unsafe(
    `alter database ${database.name} set bytea_output = escape; alter database ${database.name} set extra_float_digits = 0`,
  );
  const pooled = openDatabase({ url: url.href, poolSize: 1, statementTimeoutMs: 60_000 });
  t.teardown(() => pooled.close());
  const { username } = new URL(database.url);
  await t.rejects(pooled.query('select 1'), {
    message: new RegExp(
      `ALTER ROLE ${username} SET bytea_output = hex; ALTER ROLE ${username} SET extra_float_digits = 1;`,
    ),
  });
  const direct = openDatabase({ url: database.url, poolSize: 1, statementTimeoutMs: 60_000 });
  t.teardown(() => direct.close());
  t.same(
    await direct.query("select '\\x00'::bytea::text as bytes"),
    [{ bytes: '\\x00' }],
    'who is direct says so itself',
  );
});
