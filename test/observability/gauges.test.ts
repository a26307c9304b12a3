import { Registry } from 'prom-client';
import { t } from 'tap';
import { brands } from '../../src/app/tables.ts';
import { openMetrics } from '../../src/http/telemetry/metrics.ts';
import { metricsOf } from '../../src/http/telemetry/metrics-of.ts';
import { createLarder, entity } from '../../src/index.ts';
import { globalId, makeData } from '../support/data.ts';
import { scrape, seriesOf } from '../support/metrics.ts';
import { openRedis, openServer, openSql, startServer, type TestStack } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { until } from '../support/until.ts';

interface Counts {
  readonly bypassedBecause?: { readonly unvouched: number };
}

/** More statements than one connection has places for. */
const MANY = 20;

/** What a series says now; `NaN` when it is not there. */
async function gaugeOf(server: Pick<TestStack<null>, 'metricsUrl'>, series: string): Promise<number> {
  const line = (await scrape(server)).split('\n').find((text) => text.startsWith(`${series} `));
  return Number(line?.slice(series.length));
}

t.test('who has a place at Postgres, and who waits for one', async (t) => {
  const server = await startServer(t, { redis: null, env: { DATABASE_POOL_SIZE: '1' } });
  const inUse = () => gaugeOf(server, 'larder_pool_in_use{work="statements"}');
  const waiting = () => gaugeOf(server, 'larder_pool_waiting{work="statements"}');
  const nobody = () => until('nobody is there', async () => (await inUse()) === 0 && (await waiting()) === 0);
  await nobody();
  const answers = await server.sql.begin(async (sql) => {
    await sql`lock table brands in access exclusive mode`;
    // Each asks for another page: those that ask for the same would share a place.
    const asked = Array.from({ length: MANY }, (_, i) => server.ask(`{ brands(first: ${i}) { totalCount } }`));
    await until('some are let in and the others are not', async () => {
      const [inside, outside] = [await inUse(), await waiting()];
      return inside > 0 && outside > 0 && inside + outside === MANY;
    });
    // Not awaited here: they wait for the lock that this transaction holds.
    return { asked };
  });
  await Promise.all(answers.asked);
  await nobody();
  t.pass('who has a place gives it back');
});

t.test('the breaker, the outbox and how old answers can be', async (t) => {
  const server = await startServer(t, { env: { MEMORY_MAX_ENTRIES: '0', MAX_STALENESS_MS: '2000' } });
  const value = (series: string) => gaugeOf(server, series);
  await until('the drainer has looked', async () => (await value('larder_outbox_changes')) === 0);
  t.equal(await value('larder_outbox_age_seconds'), 0);
  t.equal(await value('larder_staleness_bound_seconds'), 2);
  await until('Redis is not held up', async () => (await value('larder_redis_breaker_open')) === 0);
  await until('the drainer looks in time', async () => (await value('larder_staleness_seconds')) < 2);

  await server.redis.stop();
  await server.sql`insert into brands (id, name) values (1, 'x'), (2, 'y')`;
  await until('reads have failed often enough', async () => {
    await server.ask(`{ node(id: "${globalId('Brand', 1)}") { id ... on Brand { name } } }`);
    return (await value('larder_redis_breaker_open')) === 1;
  });
  t.ok((await value('larder_redis_errors_total{command="MGET"}')) >= 3);
  await until('the drainer cannot tell Redis', async () => (await value('larder_outbox_changes')) === 2);
  await until('nobody vouches any more', async () => (await value('larder_staleness_seconds')) > 2);
  t.ok((await value('larder_outbox_age_seconds')) > 0);

  const retired = await server.sql`update cache_domains set position = null where run <> '' returning id`;
  t.equal(retired.length, 1, 'as if Redis had been gone for a minute');
  await until('nothing waits for it', async () => (await value('larder_outbox_changes')) === 0);
  const { database, redis } = server;
  const env = { REDIS_URL: redis.url, MAX_STALENESS_MS: '2000' };
  const later = await openServer(t, { database, redis: null, env });
  await until('nor for one that has never met it', async () => (await gaugeOf(later, 'larder_outbox_changes')) === 0);
  for (const one of [server, later]) {
    let unread = 0;
    await until('it looks again, since Postgres answers', async () => {
      const before = unread;
      unread = await gaugeOf(one, 'larder_outbox_unread_seconds');
      return unread < before;
    });
    await until('it is not behind', async () => (await gaugeOf(one, 'larder_staleness_seconds')) < 2);
  }
});

t.test('an outbox that cannot be read is a series from the start, and grows', async (t) => {
  const database = await freshDatabase(t);
  const sql = openSql(t, database);
  await sql`alter table cache_outbox rename to somewhere_else`;
  const server = await openServer(t, { database, redis: null });
  const value = (series: string) => gaugeOf(server, series);
  t.ok((await value('larder_outbox_unread_seconds')) > 0);
  t.ok(Number.isNaN(await value('larder_outbox_changes')), 'how much waits is not known');
  const before = await value('larder_staleness_seconds');
  await until('it has grown', async () => (await value('larder_outbox_unread_seconds')) > 0.5);
  t.ok((await value('larder_staleness_seconds')) > before);
});

t.test('where there is no outbox, and none is needed, nothing grows', async (t) => {
  const database = await freshDatabase(t);
  const sql = openSql(t, database);
  await sql`drop table cache_outbox, cache_domains cascade`;
  const larder = await createLarder({
    entities: { Brand: entity(brands, { unwatched: true }) },
    postgres: { url: database.url },
  });
  t.teardown(larder.close);
  const { registry, close } = openMetrics(metricsOf(larder), new Registry());
  t.teardown(close);
  t.equal(await larder.repositories.Brand.findById('1'), null);
  const series = seriesOf(await registry.metrics());
  t.ok(series.includes('larder_staleness_bound_seconds'));
  t.same(
    series.filter((name) => /^larder_(outbox|staleness_seconds)/.test(name)),
    [],
  );
});

t.test('a read by id that nobody vouches for says so', async (t) => {
  const server = await startServer(t, { env: { MEMORY_MAX_ENTRIES: '0' } });
  await makeData(server.sql, { brands: 1, campaigns: 1, events: 1, perCampaign: 1 });
  await server.database.drained();
  const keys = openRedis(t, server.redis);
  await until('a read between two heartbeats', async () => {
    await keys.del('larder:heartbeat');
    const document = `{ node(id: "${globalId('Brand', 1)}") { id ... on Brand { name } } }`;
    const answer = await server.query(document, undefined, { 'x-inspect': '1' });
    const { cache } = (answer.extensions?.dataFetching ?? {}) as { cache?: Record<string, Counts> };
    return cache?.Brand?.bypassedBecause?.unvouched === 1;
  });
  t.ok((await gaugeOf(server, 'larder_cache_bypassed_total{entity="Brand",reason="unvouched"}')) >= 1);
});

t.test('what Redis refuses to forget counts as forgotten once it has forgotten it', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const admin = openRedis(t, redis);
  await admin.call('ACL', 'SETUSER', 'larder', 'on', 'nopass', '~*', '&*', '+@all');
  const url = redis.url.replace('redis://', 'redis://larder:x@');
  const server = await openServer(t, { database, redis: { ...redis, url } });
  const value = (series: string) => gaugeOf(server, series);
  const forgotten = () => value('larder_cache_invalidations_total{entity="Brand",source="outbox"}');
  await admin.call('ACL', 'SETUSER', 'larder', '-unlink');
  await openSql(t, database)`insert into brands (id, name) values (1, 'x')`;
  await until('it is tried again', async () => (await value('larder_redis_errors_total{command="UNLINK"}')) >= 3);
  t.equal(await forgotten(), 0);
  await admin.call('ACL', 'SETUSER', 'larder', '+unlink');
  await database.drained();
  await until('it is counted', async () => (await forgotten()) > 0);
  t.equal(await forgotten(), 1);
});
