import { Redis } from 'ioredis';
import postgres from 'postgres';
import { type Test, t } from 'tap';
import { createLarder, type LarderOptions, type RedisPlace } from '../../src/index.ts';
import { migrate } from '../../src/migrate/index.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { entities, fillLibrary } from './library.ts';

type Place = Pick<LarderOptions<typeof entities>, 'postgres'> & { readonly redis: RedisPlace };

/** Opens a Larder, closes it with the test, and waits until its caches answer. */
async function openWarm(t: Test, { postgres, redis }: Place) {
  const larder = await createLarder({
    ...{ entities, postgres, redis: { ...redis, timeoutMs: REDIS_PATIENCE_MS } },
    // Nothing but Redis answers then.
    cache: { memoryMaxEntries: 0 },
  });
  t.teardown(larder.close);
  await until('caches answer by id', async () => {
    const { scope } = larder.createContext();
    await larder.repositories.Author.findById('1', scope);
    return scope.trace.sql.statements === 0;
  });
  t.match(await larder.health.redis(), true);
  return larder;
}

t.test('a client of postgres.js says where and as whom, and stays as it was', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  await sql`drop schema public cascade`;
  await sql`create schema public`;
  const { hostname, port, username, password, pathname } = new URL(database.url);
  let asked = 0;
  const client = postgres({
    ...{ host: hostname, port: Number(port), user: decodeURIComponent(username), database: pathname.slice(1) },
    pass: () => {
      asked += 1;
      return decodeURIComponent(password);
    },
    transform: postgres.camel,
    connection: { application_name: 'theirs' },
    max: 1,
    onnotice: () => {},
  } as postgres.Options<Record<string, never>>);
  t.teardown(() => client.end());
  await migrate({ postgres: { client } });
  await fillLibrary(sql, 3, 2);
  const larder = await openWarm(t, { postgres: { client }, redis: { url: redis.url } });
  t.match(await larder.repositories.Author.create({ name: 'Ada' }), { name: 'Ada' });
  t.ok(asked > 1, 'its function was asked for the password of each connection');
  const names =
    await client`select distinct application_name as name from pg_stat_activity where datname = current_database()`;
  t.ok(names.some(({ name }) => name === 'theirs'));
  await larder.close();
  t.same([...(await client`select 1 as "oneTwo"`)], [{ oneTwo: 1 }], 'it is not closed with the Larder');
  await t.rejects(createLarder({ entities, postgres: { client: { options: {} } } }), {
    message: 'postgres.client: is no client of postgres.js',
  });
});

t.test('a client of ioredis, or what makes one, says where Redis is', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  await fillLibrary(openSql(t, database), 3, 2);
  const at = { postgres: { url: database.url } };

  await t.test('a client, of which there are duplicates', async (t) => {
    const client = new Redis(redis.url, { keyPrefix: 'theirs:', lazyConnect: true, db: 1, stringNumbers: true });
    t.teardown(() => client.disconnect());
    const larder = await openWarm(t, { ...at, redis: { client } });
    t.ok((await client.keys('*')).includes('Author-1'), 'in its database, under keys that are whole');
    await larder.close();
    t.equal(await client.ping(), 'PONG', 'it is not closed with the Larder');
  });
  await t.test('a function, which is given how its clients must behave', async (t) => {
    const names: unknown[] = [];
    const larder = await openWarm(t, {
      ...at,
      redis: {
        connect: (options) => {
          names.push(options.connectionName);
          return new Redis(redis.url, options);
        },
      },
    });
    t.same(names.sort(), ['larder', 'larder-bus']);
    const other = await openWarm(t, { ...at, redis: { url: redis.url } });
    await larder.repositories.Author.update('1', { name: 'Ada' });
    t.match(await other.repositories.Author.findById('1'), { name: 'Ada' }, 'it belongs to the same cache domain');
  });
  await t.test('what behaves in another way is refused', async (t) => {
    const wrong: Record<string, [() => Redis, RegExp]> = {
      'one without the options': [() => new Redis(redis.url), /^redis\.connect: made a client without the option /],
    };
    for (const [what, [connect, message]] of Object.entries(wrong)) {
      await t.rejects(createLarder({ entities, ...at, redis: { connect } }), { name: 'WrongValue', message }, what);
    }
  });
  await t.test('what was opened before that is closed', async (t) => {
    const made: Redis[] = [];
    const connect = (options: object) => {
      // Only the second client is asked for a database.
      const client = new Redis({ port: redis.port, ...options, db: 2 });
      made.push(client);
      return client;
    };
    await t.rejects(createLarder({ entities, ...at, redis: { connect } }), { name: 'WrongValue' });
    t.equal(made.length, 2);
    await until('both have ended', () => made.every(({ status }) => status === 'end'));
  });
});
