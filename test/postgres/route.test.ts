import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { type Test, t } from 'tap';
import { type PostgresService, startPostgres } from '../../src/cli/services/postgres.ts';
import { openDatabase } from '../../src/postgres/client.ts';
import { type Certificate, createAuthority } from '../support/certificates.ts';
import { portForLater } from '../support/port.ts';
import { reachableDirectory } from '../support/temporary.ts';
import { until } from '../support/until.ts';

const directory = reachableDirectory(t);
const sockets = mkdtempSync('/tmp/larder-sockets-');
chmodSync(sockets, 0o777);
const dataDir = join(directory, 'primary');
mkdirSync(dataDir);
const first = await startPostgres({ dataDir, persistent: true });
await first.stop();
// A copy that recovers for ever: a standby.
const copy = join(directory, 'standby');
execFileSync('cp', ['-a', dataDir, copy]);
writeFileSync(join(copy, 'cluster', 'standby.signal'), '');
const server = await startPostgres({ dataDir, persistent: true, settings: { unix_socket_directories: sockets } });
t.teardown(() => server.stop());
const standby = await startPostgres({ dataDir: copy, persistent: true });
t.teardown(() => standby.stop());

const authority = await createAuthority(directory, 'authority');
const stranger = await createAuthority(directory, 'stranger');
const client = authority.issue('postgres');
const password = new URL(server.adminUrl).password;
const account = `postgres://postgres:${password}`;

/** Lets the server show a certificate and let in whom the lines of pg_hba.conf say. */
async function serve(shown: Certificate | null, hba = 'host all all all scram-sha-256'): Promise<void> {
  const cluster = join(dataDir, 'cluster');
  const { uid, gid } = statSync(cluster);
  const place = (from: string, name: string) => {
    const to = join(cluster, name);
    copyFileSync(from, to);
    chmodSync(to, 0o600);
    chownSync(to, uid, gid);
  };
  if (shown !== null) {
    place(shown.cert, 'server.crt');
    place(shown.key, 'server.key');
    place(authority.cert, 'root.crt');
  }
  writeFileSync(join(cluster, 'pg_hba.conf'), `local all all scram-sha-256\n${hba}\n`);
  const sql = postgres({ path: `${sockets}/.s.PGSQL.${server.port}`, user: 'postgres', password, max: 1 });
  try {
    const [before] = await sql<[{ at: string }]>`select pg_conf_load_time()::text as at`;
    await sql.unsafe("alter system set ssl_ca_file = 'root.crt'");
    await sql.unsafe(`alter system set ssl = ${shown === null ? 'off' : 'on'}`);
    await sql`select pg_reload_conf()`;
    // New backends have what the postmaster has loaded, which takes it a moment.
    await until('the server has loaded it', async () => {
      const fresh = postgres({ path: `${sockets}/.s.PGSQL.${server.port}`, user: 'postgres', password, max: 1 });
      const [row] = await fresh`select pg_conf_load_time()::text as at`;
      await fresh.end();
      return row?.at !== before.at;
    });
  } finally {
    await sql.end();
  }
}

/** Connects by both ways that there are, the server's and the tools', and tells whether it was encrypted. */
async function encrypted(url: string): Promise<boolean> {
  const database = openDatabase({ url, poolSize: 1, statementTimeoutMs: 30_000 });
  const text = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';
  try {
    const [row] = await database.query<{ ssl: boolean }>(text);
    const [same] = await database.client.unsafe<{ ssl: boolean }[]>(text);
    if (row?.ssl !== same?.ssl) throw new Error('The two ways differ.');
    return row?.ssl === true;
  } finally {
    await database.close();
  }
}

async function refused(t: Test, url: string, message: RegExp, name: string): Promise<void> {
  const database = openDatabase({ url, poolSize: 1, statementTimeoutMs: 30_000 });
  await t.rejects(database.query('select 1'), { message }, name);
  await t.rejects(database.client.unsafe('select 1'), { message }, `${name}, for tools`);
  await database.close();
}

const ca = `sslrootcert=${authority.cert}`;
const urlOf = (host: string, parameters: string, service: PostgresService = server) =>
  `${account}@${host}:${service.port}/postgres?${parameters}`;

t.test('each sslmode asks of a server what libpq asks', async (t) => {
  await serve(null);
  for (const mode of ['disable', 'allow', 'prefer'])
    t.equal(await encrypted(urlOf('127.0.0.1', `sslmode=${mode}`)), false, mode);
  for (const mode of ['require', 'verify-ca', 'verify-full']) {
    await refused(t, urlOf('127.0.0.1', `sslmode=${mode}&${ca}`), /it has no TLS/, mode);
  }
  await serve(authority.issue('by-name', 'DNS:localhost'));
  t.equal(await encrypted(urlOf('localhost', 'sslmode=disable')), false);
  for (const mode of ['allow', 'prefer', 'require'])
    t.equal(await encrypted(urlOf('127.0.0.1', `sslmode=${mode}`)), true, mode);
  t.equal(await encrypted(urlOf('127.0.0.1', '')), true, 'TLS where there is some');
  t.equal(await encrypted(urlOf('127.0.0.1', `sslmode=verify-ca&${ca}`)), true, 'any name of the authority');
  t.equal(await encrypted(urlOf('localhost', `sslmode=verify-full&${ca}`)), true);
  t.equal(await encrypted(urlOf('localhost', `sslmode=require&channel_binding=require&${ca}`)), true);
  for (const mode of ['verify-ca', 'verify-full']) {
    await refused(
      t,
      urlOf('localhost', `sslmode=${mode}`),
      /certificate/,
      `${mode} by an authority that Node does not know`,
    );
    await refused(t, urlOf('localhost', `sslmode=${mode}&sslrootcert=${stranger.cert}`), /certificate/, mode);
  }
  await refused(t, urlOf('localhost', `sslmode=require&sslrootcert=${stranger.cert}`), /certificate/, 'as libpq does');
});

t.test('verify-full by an address checks that address', async (t) => {
  await serve(authority.issue('by-name-alone', 'DNS:localhost'));
  await refused(t, urlOf('127.0.0.1', `sslmode=verify-full&${ca}`), /IP: 127\.0\.0\.1/, 'a name is no address');
  await serve(authority.issue('other-address', 'DNS:localhost,IP:10.0.0.9'));
  await refused(t, urlOf('127.0.0.1', `sslmode=verify-full&${ca}`), /IP: 127\.0\.0\.1/, 'another address');
  t.equal(await encrypted(urlOf('127.0.0.1', `sslmode=verify-ca&${ca}`)), true);
  const named = `sslmode=verify-full&${ca}&hostaddr=127.0.0.1`;
  t.equal(await encrypted(urlOf('localhost', named)), true, 'hostaddr leaves the name to be checked');
  await refused(t, urlOf('db.example', named), /db\.example/, 'and it is');
  await serve(authority.issue('its-address', 'IP:127.0.0.1'));
  t.equal(await encrypted(urlOf('127.0.0.1', `sslmode=verify-full&${ca}`)), true);
  await refused(t, urlOf('localhost', `sslmode=verify-full&${ca}`), /localhost/, 'an address is no name');
});

t.test('a client shows its certificate', async (t) => {
  await serve(authority.issue('demanding', 'IP:127.0.0.1'), 'hostssl all all all cert');
  const url = `postgres://postgres@127.0.0.1:${server.port}/postgres?sslmode=verify-full&${ca}`;
  t.equal(await encrypted(`${url}&sslcert=${client.cert}&sslkey=${client.key}`), true);
  await refused(t, url, /certificate/, 'none');
});

t.test('a socket of the machine is a path', async (t) => {
  const plain = `postgres://postgres:${password}@/postgres?host=${sockets}&port=${server.port}`;
  t.equal(await encrypted(plain), false);
  t.equal(await encrypted(`${plain}&sslmode=require`), false, 'where TLS protects from nobody');
  t.equal(
    await encrypted(`postgres://postgres:${password}@${encodeURIComponent(sockets)}:${server.port}/postgres`),
    false,
  );
});

t.test('of several hosts the first is taken that is there and of the kind that is wanted', async (t) => {
  await serve(null);
  const dead = await portForLater();
  const hosts = (...ports: number[]) => `${account}@${ports.map((port) => `127.0.0.1:${port}`).join(',')}/postgres`;
  const portOf = async (url: string) => {
    const database = openDatabase({ url, poolSize: 1, statementTimeoutMs: 30_000 });
    try {
      const [row] = await database.query<{ port: number }>('select inet_server_port() as port');
      return row?.port;
    } finally {
      await database.close();
    }
  };
  t.equal(await portOf(hosts(dead, server.port)), server.port, 'one is dead');
  t.equal(await portOf(hosts(standby.port, server.port)), standby.port, 'any will do');
  const wishes: [string, number][] = [
    ['read-write', server.port],
    ['primary', server.port],
    ['read-only', standby.port],
    ['standby', standby.port],
    ['prefer-standby', standby.port],
  ];
  for (const [wish, port] of wishes) {
    for (const order of [
      [server.port, standby.port],
      [standby.port, server.port],
      [dead, server.port, standby.port],
    ]) {
      t.equal(await portOf(`${hosts(...order)}?target_session_attrs=${wish}`), port, `${wish} of ${order}`);
    }
  }
  t.equal(
    await portOf(`${hosts(server.port)}?target_session_attrs=prefer-standby`),
    server.port,
    'where there is none',
  );
  const wanting = `${hosts(dead, standby.port)}?target_session_attrs=read-write`;
  await refused(
    t,
    wanting,
    /ECONNREFUSED.*it is not a server for read-write sessions/,
    'each is named with its reason',
  );
  await refused(t, hosts(dead), new RegExp(`127\\.0\\.0\\.1:${dead}: .*ECONNREFUSED`), 'a dead one');
});

t.test('what the URL says is what Postgres is told', async (t) => {
  await serve(null);
  const url = urlOf('127.0.0.1', 'schema=mine&application_name=shop&options=-c%20geqo%3Doff&pgbouncer=true');
  const database = openDatabase({ url, poolSize: 1, statementTimeoutMs: 30_000 });
  t.teardown(() => database.close());
  const text =
    "select current_setting('search_path') as path, current_setting('application_name') as name, current_setting('geqo') as geqo, (select count(*)::int from pg_prepared_statements) as prepared, $1::int as given";
  for (let i = 0; i < 2; i += 1) {
    const [row] = await database.query<{ given: number }>(text, [String(i)]);
    t.same({ ...row }, { path: '"mine"', name: 'shop', geqo: 'off', prepared: 0, given: i });
  }
});
