import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { type Test, t } from 'tap';
import { openServer, startServer } from '../support/server.ts';
import { freshRedis, type TestDatabase } from '../support/services.ts';
import { openRedis, openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { cached, find, makeCampaign, readiness, ready, refused } from './support/one-campaign.ts';

const MAX_STALENESS_MS = 5000;
const DAY_MS = 86_400_000;

/** Copies a database to which nobody is connected. */
async function copyOf(t: Test, { url, name }: TestDatabase): Promise<{ url: string }> {
  const admin = openSql(t, { url: process.env.LARDER_TEST_POSTGRES_URL ?? '' });
  const copy = `test_${randomBytes(6).toString('hex')}`;
  await until('nobody is connected', async () => {
    const [row] = await admin`select from pg_stat_activity where datname = ${name}`;
    return row === undefined;
  });
  await admin`create database ${admin(copy)} template ${admin(name)}`;
  t.teardown(() => admin`drop database ${admin(copy)} with (force)`);
  const copyUrl = new URL(url);
  copyUrl.pathname = `/${copy}`;
  return { url: copyUrl.href };
}

/** The stores of a server that has cached the campaign, and is gone. */
async function leftBehind(t: Test) {
  const server = await startServer(t);
  await makeCampaign(server.sql, 'old');
  await cached(server);
  await server.close();
  return server;
}

t.test('on one database, each domain hears of each change', async (t) => {
  const first = await startServer(t);
  const { database, redis, sql } = first;
  await makeCampaign(sql, '0');
  const servers = [
    first,
    await openServer(t, { database, redis }),
    await openServer(t, { database, redis, env: { CACHE_PREFIX: 'staging:' } }),
    await openServer(t, { database, redis: await freshRedis(t) }),
    await openServer(t, { database, redis: null }),
  ];
  for (let n = 1; n <= 5; n += 1) {
    for (const server of servers) await cached(server);
    await sql`update campaigns set title = ${String(n)} where id = 1`;
    const written = performance.now();
    await until('each shows it', async () => {
      const began = performance.now();
      const titles = await Promise.all(servers.map(async (server) => (await find(server)).title));
      const current = titles.every((title) => title === String(n));
      if (began - written > MAX_STALENESS_MS) t.ok(current, `${titles.join()} after ${began - written} ms`);
      return current;
    });
  }
  await until('what all have read is removed', async () => (await sql`select from cache_outbox limit 1`).length === 0);
  t.equal(
    (await sql`select from cache_domains where position is not null`).length,
    4,
    'three domains, and the cleaner',
  );
});

t.test('a copy of the database that a Redis belongs to uses nothing of it, and the other goes on', async (t) => {
  const before = await startServer(t);
  const { database, redis, sql } = before;
  await makeCampaign(sql, 'live');
  await cached(before);
  await before.close();
  await sql.end();
  const copy = await copyOf(t, database);
  const live = await openServer(t, { database, redis });
  await cached(live);
  const copied = openSql(t, copy);
  await copied`update campaigns set title = 'copied' where id = 1`;
  const other = await openServer(t, { database: copy, redis });
  await refused(other);
  t.match(await readiness(other), { status: 'degraded', domain: 'refused', refused: /belongs to another database/ });
  const metrics = await (await fetch(other.metricsUrl)).text();
  t.match(metrics, /^larder_cache_refused 1$/m);
  t.match(metrics, /^larder_outbox_changes 0$/m, 'nothing waits for it, and it looks');
  t.equal((await find(other)).title, 'copied');
  await cached(live);
  t.match(await readiness(live), { status: 'ready', refused: undefined });
  t.equal((await find(live)).title, 'live');

  // As whoever lets the copy take its place.
  await live.close();
  const keys = new Redis(redis.url);
  await keys.flushall();
  keys.disconnect();
  await ready(other);
  await cached(other);
  t.equal((await find(other)).title, 'copied');
});

t.test('a domain that was left behind does not trust what it held', async (t) => {
  const { database, redis, sql } = await leftBehind(t);
  // Long after, as far as the database can tell, and another domain has read on meanwhile.
  await sql`update cache_domains set drained_at = drained_at - interval '1 hour'`;
  const other = await openServer(t, { database, redis, env: { CACHE_PREFIX: 'other:' } });
  await sql`update campaigns set title = 'new' where id = 1`;
  await until('nobody waits for it', async () => (await sql`select from cache_outbox limit 1`).length === 0);
  t.equal((await find(other)).title, 'new');
  const back = await openServer(t, { database, redis });
  t.equal((await find(back)).title, 'new');
  await cached(back);
  t.equal((await find(back)).title, 'new');
});

t.test('a domain that is gone for a week is forgotten, and whoever comes back begins anew', async (t) => {
  const { database, redis, sql } = await leftBehind(t);
  const keys = openRedis(t, redis);
  const left = await keys.pttl('larder:domain');
  t.ok(left > 0 && left <= DAY_MS, `Redis forgets within a day whose it is: ${left} ms`);
  // A week and more, as far as the stores can tell.
  await keys.del('larder:domain');
  const before = await sql<{ id: string }[]>`
    update cache_domains set position = null, drained_at = drained_at - interval '8 days' where run <> '' returning id`;
  t.equal(before.length, 1);
  const other = await openServer(t, { database, redis, env: { CACHE_PREFIX: 'other:' } });
  await sql`update campaigns set title = 'new' where id = 1`;
  await until('it is forgotten', async () => {
    return (await sql`select from cache_domains where id = ${before[0]?.id ?? ''}`).length === 0;
  });
  t.equal((await find(other)).title, 'new');
  const back = await openServer(t, { database, redis });
  t.equal((await find(back)).title, 'new', 'what Redis still has is not used');
  await cached(back);
  t.equal((await find(back)).title, 'new');
  t.match(await readiness(back), { status: 'ready', refused: undefined });
});

t.test('a domain that is gone for less is remembered: its Redis may come back', async (t) => {
  const { database, redis, sql } = await leftBehind(t);
  await sql`update cache_domains set position = null, drained_at = drained_at - interval '6 days' where run <> ''`;
  const other = await openServer(t, { database, redis, env: { CACHE_PREFIX: 'other:' } });
  await sql`update campaigns set title = 'y' where id = 1`;
  await until('what was read is removed', async () => (await sql`select from cache_outbox limit 1`).length === 0);
  t.equal((await find(other)).title, 'y');
  t.equal((await sql`select from cache_domains where position is null`).length, 1);
  const back = await openServer(t, { database, redis });
  await cached(back);
  t.equal((await sql`select from cache_domains where position is null`).length, 0, 'it is the same one');
});
