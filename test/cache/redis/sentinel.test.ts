import { Redis } from 'ioredis';
import { type Test, t } from 'tap';
import { parseRedisUrl } from '../../../src/cache/redis/url.ts';
import { createLarder } from '../../../src/index.ts';
import { entities, makeTables } from '../../support/library.ts';
import { startSentinel } from '../../support/sentinel.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../../support/services.ts';
import { openProxy } from '../../support/proxy.ts';
import { openSql } from '../../support/stores.ts';
import { until } from '../../support/until.ts';

const HOST = '127.0.0.1';

function clientOf(t: Test, options: { port: number; db?: number }): Redis {
  const client = new Redis({ host: HOST, ...options, maxRetriesPerRequest: null });
  client.on('error', () => {});
  t.teardown(() => client.disconnect());
  return client;
}

/** Whether a Sentinel would choose the one replica: it knows it from the replica itself, not only from what the primary says of it. */
async function knowsReplica(sentinel: Redis): Promise<boolean> {
  const replicas = (await sentinel.call('sentinel', 'replicas', 'mymaster')) as string[][];
  const said = new Map<string | undefined, string | undefined>();
  for (const [i, word] of (replicas[0] ?? []).entries()) if (i % 2 === 0) said.set(word, replicas[0]?.[i + 1]);
  const isSound = said.get('flags') === 'slave' && said.get('master-link-status') === 'ok';
  return replicas.length === 1 && isSound && Number(said.get('info-refresh')) < 10_000;
}

t.test('the address of Sentinels is read as it is meant', async (t) => {
  const two = [
    { host: 'one', port: 26379 },
    { host: '::1', port: 7000 },
  ];
  const sentinels = { sentinels: two, name: 'mymaster', db: 0, failoverDetector: true };
  const account = { username: 'me', password: 'a@b' };
  const asked = { sentinelUsername: 'it', sentinelPassword: 's/' };
  const tls = { rejectUnauthorized: false };
  const meant: [string, object][] = [
    ['redis+sentinel://one,[::1]:7000/mymaster', sentinels],
    ['redis+sentinel://one:26379,[::1]:7000/mymaster/3', { ...sentinels, db: 3 }],
    ['redis+sentinel://me:a@b@one,[::1]:7000/mymaster?db=2', { ...sentinels, ...account, db: 2 }],
    [
      'redis+sentinel://one,[::1]:7000/mymaster?sentinel_username=it&sentinel_password=s%2F',
      { ...sentinels, ...asked },
    ],
    [
      'rediss+sentinel://one,[::1]:7000/mymaster?ssl_cert_reqs=none',
      { ...sentinels, tls, sentinelTLS: tls, enableTLSForSentinelMode: true },
    ],
  ];
  for (const [url, options] of meant) t.strictSame(parseRedisUrl(url), options, url);
  const wrong = ['//one', '//one/', '///mymaster', '//one/a/b', '//one/a/0/c', '//one,/a', '//one/a?dbs=1'];
  for (const rest of [...wrong, '//one/a?ssl_cert_reqs=none']) {
    t.throws(() => parseRedisUrl(`redis+sentinel:${rest}`), { name: 'WrongValue' }, rest);
  }
});

t.test('a failover is followed, and a primary that dies is replaced', async (t) => {
  const [database, first] = await Promise.all([freshDatabase(t), freshRedis(t, ['--repl-diskless-sync-delay', '0'])]);
  const second = await freshRedis(t, ['--replicaof', `${HOST} ${first.port}`, '--repl-diskless-sync-delay', '0']);
  const sql = openSql(t, database);
  await makeTables(sql);
  await sql`insert into libraries (id, name) values (1, 'the only one')`;
  await sql`insert into shelves (id, library_id, title) values (1, 1, 'as it was')`;
  const sentinelPort = await startSentinel(t, first.port);
  const sentinel = clientOf(t, { port: sentinelPort });
  await until('the Sentinel could choose the replica', () => knowsReplica(sentinel));
  await using larder = await createLarder({
    entities,
    postgres: { url: database.url },
    redis: { url: `redis+sentinel://${HOST}:${sentinelPort}/mymaster/1`, timeoutMs: REDIS_PATIENCE_MS },
    cache: { memoryMaxEntries: 0 },
  });
  const read = async () => {
    const context = larder.createContext();
    const shelf = await larder.repositories.Shelf.findById('1', context.scope);
    return { title: shelf?.title, statements: context.scope.trace.sql.statements };
  };
  const rename = (title: string) => larder.repositories.Shelf.update('1', { title });
  const isCached = async () => (await read()).statements === 0;
  await until('Redis answers', isCached);

  const [old, successor] = [clientOf(t, { port: first.port, db: 1 }), clientOf(t, { port: second.port, db: 1 })];
  await sentinel.call('sentinel', 'failover', 'mymaster');
  await until('the other is the primary', async () => (await successor.role())[0] === 'master');
  await rename('written after the failover');
  t.equal((await read()).title, 'written after the failover');
  await until('the successor answers', async () => {
    t.equal((await read()).title, 'written after the failover', 'nothing is stale meanwhile');
    return (await isCached()) && (await successor.get('Shelf-1')) !== null;
  });
  await until('the old primary is left', async () => !/ name=larder/.test(String(await old.client('LIST'))));
  await until('nothing is wrong', async () => larder.health.problems().length === 0);

  await until('the old primary is a replica that can take over', async () => {
    const info = await old.info('replication');
    return /role:slave/.test(info) && /master_link_status:up/.test(info);
  });
  second.kill('SIGKILL');
  await rename('written while the primary is dead');
  t.equal((await read()).title, 'written while the primary is dead', 'Postgres answers');
  await until('the first is the primary again', async () => (await old.role())[0] === 'master');
  await until('it answers', async () => {
    t.equal((await read()).title, 'written while the primary is dead');
    return (await isCached()) && (await old.get('Shelf-1')) !== null;
  });
});

t.test('a failover that is announced while the Sentinel is asked ends no connection for good', async (t) => {
  const [database, first] = await Promise.all([freshDatabase(t), freshRedis(t, ['--repl-diskless-sync-delay', '0'])]);
  await freshRedis(t, ['--replicaof', `${HOST} ${first.port}`, '--repl-diskless-sync-delay', '0']);
  const sql = openSql(t, database);
  await makeTables(sql);
  await sql`insert into libraries (id, name) values (1, 'the only one')`;
  await sql`insert into shelves (id, library_id, title) values (1, 1, 'as it was')`;
  const sentinelPort = await startSentinel(t, first.port);
  const [way, sentinel] = [await openProxy(t, sentinelPort), clientOf(t, { port: sentinelPort })];
  await until('the Sentinel could choose the replica', () => knowsReplica(sentinel));
  await using larder = await createLarder({
    entities,
    postgres: { url: database.url },
    redis: { url: `redis+sentinel://${HOST}:${way.port}/mymaster/1`, timeoutMs: REDIS_PATIENCE_MS },
  });
  const statements = async () => {
    const context = larder.createContext();
    t.match(await larder.repositories.Shelf.findById('1', context.scope), { title: 'as it was' });
    return context.scope.trace.sql.statements;
  };
  const isCached = async () => (await statements()) === 0;
  await until('caches answer', isCached);

  const announced = new Promise((resolve) => {
    const listener = clientOf(t, { port: way.port });
    listener.on('message', resolve);
    void listener.subscribe('+switch-master');
  });
  const { reached, release } = way.hold('get-master-addr-by-name');
  const own = clientOf(t, { port: first.port });
  for (const kind of ['normal', 'pubsub']) await own.call('client', 'kill', 'type', kind, 'skipme', 'yes');
  await reached;
  await sentinel.call('sentinel', 'failover', 'mymaster');
  await announced;
  await release();
  await until('caches answer again', isCached);
  await until('and changes are told', async () => larder.health.problems().length === 0);
  await larder.repositories.Shelf.update('1', { title: 'as it was' });
});
