import { type Test, t } from 'tap';
import { faultyProxy } from '../support/faulty-proxy.ts';
import { openRedis, openServer, openSql, startServer } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { until } from '../support/until.ts';

interface Readiness {
  readonly code: number;
  readonly status: string;
  readonly reason?: string;
}

async function readiness(url: string): Promise<Readiness> {
  const response = await fetch(`${url}/readyz`);
  return { code: response.status, ...((await response.json()) as Omit<Readiness, 'code'>) };
}

/** Waits until `/readyz` says something, and returns all that it says then. */
async function saying(url: string, status: string, reason: RegExp): Promise<Readiness> {
  let said: Readiness = { code: 0, status: '' };
  await until(`${status}, because of ${reason}`, async () => {
    said = await readiness(url);
    return said.status === status && reason.test(said.reason ?? '');
  });
  return said;
}

const ready = (url: string) => until('it is ready', async () => (await readiness(url)).status === 'ready');

async function onDatabase(t: Test, prepare: (sql: ReturnType<typeof openSql>, name: string) => Promise<void>) {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  await prepare(openSql(t, database), database.name);
  return openServer(t, { database, redis, unvouched: true });
}

t.test('a database that is not migrated answers nothing', async (t) => {
  const { url } = await onDatabase(t, async (sql) => {
    await sql`drop schema public cascade`;
    await sql`create schema public`;
  });
  const { code, reason } = await saying(url, 'unavailable', /run node dist\/cli\/migrate\.js/);
  t.equal(code, 503);
  t.notMatch(reason, '\n', 'in one line');
});

t.test('a database that lacks a column of a newer version serves what it can', async (t) => {
  const { url } = await onDatabase(t, async (sql) => {
    await sql`alter table campaigns drop column body`;
  });
  t.equal((await saying(url, 'degraded', /lacks columns of Campaign\.body/)).code, 200);
});

t.test('slow statements on all connections do not take a server out of service', async (t) => {
  const { url, sql, ask, database } = await startServer(t);
  await ready(url);
  const owner = openSql(t, database);
  await owner`begin`;
  await owner`lock table campaigns`;
  const slow = Array.from({ length: 8 }, (_, i) =>
    ask(`{ campaigns(first: ${i + 1}) { totalCount } }`).then(
      () => null,
      (error: Error) => error,
    ),
  );
  const waiting = async () => {
    const [row] = await sql`
      select count(distinct pid)::int as waiting from pg_locks join pg_database d on d.oid = database
      where not granted and datname = ${database.name}`;
    return row?.waiting;
  };
  await until('all connections wait', async () => (await waiting()) === 4);
  // On a busy machine, one look may come too late for reasons of its own.
  await ready(url);
  t.equal(await waiting(), 4, 'ready while all of them wait still');
  await owner`rollback`;
  t.same(
    await Promise.all(slow),
    slow.map(() => null),
    'and all are answered',
  );
});

t.test('a database that takes no writes', async (t) => {
  const { url } = await onDatabase(t, async (sql, name) => {
    await sql.unsafe(`alter database ${name} set default_transaction_read_only = on`);
  });
  t.equal((await saying(url, 'degraded', /read-only/)).code, 200, 'reads are answered');
});

/** A database that is fit for use, and its address for a role that has rights on the tables alone. */
async function forReader(t: Test) {
  const database = await freshDatabase(t);
  const sql = openSql(t, database);
  const role = `reader_${database.name}`;
  await sql.unsafe(`create role ${role} login password 'x'`);
  t.teardown(() => sql.unsafe(`drop owned by ${role}`).then(() => sql.unsafe(`drop role ${role}`)));
  await sql.unsafe(`grant select on brands, campaigns, campaign_events, events to ${role}`);
  const url = new URL(database.url);
  url.username = role;
  url.password = 'x';
  return { database: { url: url.href }, sql, role };
}

t.test('a role without rights on the outbox', async (t) => {
  const [{ database }, redis] = await Promise.all([forReader(t), freshRedis(t)]);
  const server = await openServer(t, { database, redis, unvouched: true });
  await saying(server.url, 'degraded', /permission denied for table \w+.*docs\/operations\.md/);
  t.match(await server.query('{ brands { totalCount } }'), { data: { brands: { totalCount: 0 } } });
});

t.test('a catalog that may not be read', async (t) => {
  const [{ database, sql, role }, redis] = await Promise.all([forReader(t), freshRedis(t)]);
  await sql.unsafe(`grant select, insert, update, delete on cache_outbox, cache_domains to ${role}`);
  const server = await openServer(t, { database, redis });
  await ready(server.url);
  await sql`revoke select on pg_enum from public`;
  t.equal((await saying(server.url, 'degraded', /columns of the tables are not known/)).code, 200);
  t.match(await server.query('{ brands { totalCount } }'), { data: { brands: { totalCount: 0 } } });
  await sql`grant select on pg_enum to public`;
  await ready(server.url);
});

t.test('a Redis that may not be written to, and may again', async (t) => {
  const server = await startServer(t);
  const redis = openRedis(t, server.redis);
  await ready(server.url);

  await redis.config('SET', 'maxmemory', '1');
  await saying(server.url, 'degraded', /full and evicts nothing.*allkeys-lru/);
  await redis.config('SET', 'maxmemory', '0');
  await ready(server.url);

  await redis.replicaof('127.0.0.1', 1);
  await saying(server.url, 'degraded', /It is a replica/);
  await redis.replicaof('NO', 'ONE');
  await ready(server.url);

  t.match(await server.query('{ brands { totalCount } }'), { data: { brands: { totalCount: 0 } } });
});

t.test('a Redis that may not be asked what it is', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  await openRedis(t, redis).call('ACL', 'SETUSER', 'uninformed', 'on', 'nopass', '~*', '&*', '+@all', '-info');
  const url = redis.url.replace('redis://', 'redis://uninformed:x@');
  const server = await openServer(t, { database, redis: { ...redis, url }, unvouched: true });
  t.equal((await saying(server.url, 'degraded', /can't run this command.*docs\/operations\.md/)).code, 200);
});

t.test('a Redis that is too old', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const proxy = await faultyProxy(t, Number(new URL(redis.url).port));
  // As Redis 6.0 says it, and everything else as it is.
  proxy.garble((real) =>
    Buffer.from(
      real.toString('latin1').replace(/redis_version:\d+/, (text) => 'redis_version:6'.padEnd(text.length, '6')),
      'latin1',
    ),
  );
  const server = await openServer(t, { database, redis: { ...redis, url: `redis://127.0.0.1:${proxy.port}` } });
  t.match(await saying(server.url, 'degraded', /^Redis is 6\S*: Larder needs Redis 7\.0 or later/), { code: 200 });
});
