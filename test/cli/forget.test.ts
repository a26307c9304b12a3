import { t } from 'tap';
import { globalId } from '../support/data.ts';
import { runCli } from '../support/run-cli.ts';
import { openRedis, openServer, openSql } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { until } from '../support/until.ts';

const BY_ID = `{ node(id: "${globalId('Brand', 1)}") { ... on Brand { name } } }`;
const BY_LIST = '{ brands(first: 1) { nodes { name } } }';

t.test('every process forgets what it has cached, by id and by list, with Redis and without', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  await sql`insert into brands (id, name) values (1, 'before')`;
  const env = { CACHE_PREFIX: 'a[*]?:', MEMORY_TTL_MS: '3600000', MAX_STALENESS_MS: '7200000' };
  const servers = [
    await openServer(t, { database, redis, env }),
    await openServer(t, { database, redis, env: { ...env, CACHE_PREFIX: 'other:' } }),
    await openServer(t, { database, redis: null, env }),
  ];
  const names = () =>
    Promise.all(
      servers.map(async (server) => {
        const byId = await server.ask<{ node: { name: string } }>(BY_ID);
        const byList = await server.ask<{ brands: { nodes: { name: string }[] } }>(BY_LIST);
        return [byId.node.name, byList.brands.nodes[0]?.name];
      }),
    );
  await until('all have it in their caches', async () => (await names()).flat().every((name) => name === 'before'));

  // Past the triggers, so that nothing tells of it.
  await sql`set session_replication_role = replica`;
  await openRedis(t, redis).set('a[*]?:Stranger-1', 'stays');
  await openRedis(t, redis).set('ab:Brand-1', 'stays');
  await sql`update brands set name = 'after' where id = 1`;
  await sql`set session_replication_role = origin`;
  t.same(
    (await names()).map(([byId]) => byId),
    ['before', 'before', 'before'],
    'nobody could notice',
  );

  for (const prefix of ['a[*]?:', 'other:']) {
    await until('both domains are awaited', async () => {
      const living = await sql`select from cache_domains where position is not null`;
      // The cleaner is the third.
      return living.length === 3;
    });
    const { code, stdout, stderr } = await runCli('forget', [], {
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      CACHE_PREFIX: prefix,
    });
    t.equal(code, 0, stderr);
    t.match(stdout, /^Removed \d+ bodies from Redis\.\nTold all processes to forget .*\(2 cache domains\)\.\n$/);
  }
  await until('all read it again', async () => (await names()).flat().every((name) => name === 'after'));
  for (const { url } of servers) {
    await until('it is ready', async () => (await (await fetch(`${url}/readyz`)).text()).includes('"ready"'));
  }
  t.equal(await openRedis(t, redis).get('a[*]?:Stranger-1'), 'stays', 'what is of no entity stays');
  t.equal(await openRedis(t, redis).get('ab:Brand-1'), 'stays', 'and what another prefix has');
});

t.test('a Redis that does not answer, or refuses, is named, and Postgres is not blamed', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  await openRedis(t, redis).call('ACL', 'SETUSER', 'unscanning', 'on', '>x', '~*', '&*', '+@all', '-scan', '-get');
  const cases: Readonly<Record<string, RegExp>> = {
    'redis://127.0.0.1:1': /ECONNREFUSED/,
    // A host with two addresses.
    'redis://localhost:1': /ECONNREFUSED/,
    'redis+cluster://127.0.0.1:1': /ECONNREFUSED/,
    [redis.url.replace('redis://', 'redis://unscanning:x@')]: /NOPERM/,
    [redis.url.replace('redis://', 'redis://unscanning:wrong@')]: /WRONGPASS/,
  };
  for (const [url, why] of Object.entries(cases)) {
    for (const [name, ...words] of [['forget'], ['cached', 'Brand', '7']] as const) {
      const { code, stderr } = await runCli(name, words, { DATABASE_URL: database.url, REDIS_URL: url });
      t.equal(code, 1, `${name} ${url}`);
      t.match(stderr, why);
      t.match(stderr, /correct REDIS_URL/);
      t.notMatch(stderr, /DATABASE_URL|Postgres|^ +at /m);
    }
  }
});
