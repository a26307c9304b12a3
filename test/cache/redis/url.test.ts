import { Redis } from 'ioredis';
import { type Test, t } from 'tap';
import { parseRedisUrl } from '../../../src/cache/redis/url.ts';
import { startRedis } from '../../../src/cli/services/redis.ts';
import { createLarder } from '../../../src/index.ts';
import { entities, makeTables } from '../../support/library.ts';
import { portForLater } from '../../support/port.ts';
import { freshDatabase, freshRedis } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';
import { until } from '../../support/until.ts';

function clientOf(t: Test, url: string): Redis {
  const client = new Redis(url);
  t.teardown(() => client.disconnect());
  return client;
}

t.test('an address is read as it is meant', async (t) => {
  const tcp = { host: 'h', port: 6379, db: 0 };
  const meant: [string, object][] = [
    ['redis://h', tcp],
    ['redis://h/', tcp],
    ['redis://h:6380/5', { ...tcp, port: 6380, db: 5 }],
    ['redis://h?db=3', { ...tcp, db: 3 }],
    ['redis://', { ...tcp, host: 'localhost' }],
    ['redis://[::1]:7000', { ...tcp, host: '::1', port: 7000 }],
    ['redis://:secret@h', { ...tcp, password: 'secret' }],
    ['redis://me:s%40cret%2F@h', { ...tcp, username: 'me', password: 's@cret/' }],
    ['redis://me:100%@h', { ...tcp, username: 'me', password: '100%' }],
    ['redis://me:a@b:c#d@h', { ...tcp, username: 'me', password: 'a@b:c#d' }],
    ['rediss://h', { ...tcp, tls: {} }],
    ['unix:///run/redis.sock', { path: '/run/redis.sock', db: 0 }],
    ['unix://me:secret@/run/redis.sock?db=2', { path: '/run/redis.sock', db: 2, username: 'me', password: 'secret' }],
    ['redis+socket:///run/redis.sock?virtual_host=4', { path: '/run/redis.sock', db: 4 }],
  ];
  for (const [url, options] of meant) t.strictSame(parseRedisUrl(url), options, url);
});

t.test('what cannot be meant is refused by name, and quotes no password', async (t) => {
  const wrong = [
    'localhost',
    'http://h',
    'redis://h/x',
    'redis://h/-1',
    'redis://h/1.5',
    'redis://h/0/1',
    'redis://h/9999999999',
  ];
  wrong.push(
    'redis://h:port',
    'redis://h:0',
    'redis://h:65536',
    'redis://a,b',
    'redis://h?dbs=1',
    'redis://h?db=x',
    'redis://::1',
  );
  wrong.push(
    'unix://run/redis.sock',
    'unix://',
    'unix:///x?db=y',
    'unix:///x?y=1',
    'redis://me:sec/ret@h',
    'redis:h',
    '',
  );
  for (const url of wrong.filter((url) => url !== '')) {
    t.throws(() => parseRedisUrl(url), { name: 'WrongValue' }, url);
  }
  try {
    parseRedisUrl('redis://me:sec/ret@h');
  } catch (error) {
    t.match(String(error), /%2F/, 'how to write it is said');
    t.notMatch(String(error), /sec|ret@/);
  }
});

t.test('a database that Redis does not have is named when a Larder opens', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t, ['--databases', '4'])]);
  const open = (url: string) => createLarder({ entities: {}, postgres: { url: database.url }, redis: { url } });
  await t.rejects(open(`${redis.url}/4`), { message: /database 4.*REDIS_URL.*out of range/ });
  await using _larder = await open(`${redis.url}/3`);
  const client = clientOf(t, redis.url);
  await until('the database that is named is the one that is used', async () => {
    await client.select(3);
    return (await client.exists('larder:heartbeat')) === 1;
  });
  await client.select(0);
  t.equal(await client.dbsize(), 0);
});

t.test('when Redis comes only later, the log names it, and nothing is written elsewhere', async (t) => {
  const database = await freshDatabase(t);
  await makeTables(openSql(t, database));
  const port = await portForLater();
  let said = '';
  const logger = {
    info: () => {},
    warn: (details: object) => {
      said += JSON.stringify(details);
    },
  };
  await using larder = await createLarder({
    entities,
    postgres: { url: database.url },
    redis: { url: `redis://127.0.0.1:${port}/16` },
    cache: { prefix: 'mine:' },
    logger,
  });
  const redis = await startRedis({ port });
  t.teardown(() => redis.stop());
  await until('the log says so', async () => /database 16 that REDIS_URL names/.test(said));
  t.equal(await larder.health.redis(), false);
  t.equal(await larder.repositories.Shelf.findById('1'), null, 'Postgres answers');
  t.same(await clientOf(t, redis.url).keys('*'), [], 'not even a heartbeat');
});
