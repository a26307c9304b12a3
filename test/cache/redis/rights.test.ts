import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Test, t } from 'tap';
import { slotOf } from '../../../src/cache/cluster/slots.ts';
import type { ClusterServer } from '../../../src/cli/services/redis-cluster.ts';
import { REPOSITORY } from '../../../src/cli/services/state-directory.ts';
import { createLarder, type LarderOptions } from '../../../src/index.ts';
import { blocks } from '../../docs/document.ts';
import { entities, makeTables } from '../../support/library.ts';
import { freshCluster } from '../../support/redis-cluster.ts';
import { startSentinel } from '../../support/sentinel.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';
import { until } from '../../support/until.ts';

const IDS = Array.from({ length: 20 }, (_, i) => String(i + 1));
const [single = '', ofNode = '', ofSentinel = ''] = blocks(
  readFileSync(join(REPOSITORY, 'docs', 'operations.md'), 'utf8'),
)
  .filter(({ language }) => language === 'redis')
  .map(({ text }) => text.trim());

/** Makes a user at a Redis, and sees at the end that it has refused nothing but what others asked. */
async function grant(t: Test, port: number, recipe: string): Promise<() => Promise<void>> {
  const client = new Redis({ port, maxRetriesPerRequest: null });
  // A Sentinel does not listen at once.
  client.on('error', () => {});
  t.teardown(() => client.disconnect());
  const [command = '', ...args] = recipe.split(' ');
  await client.call(command, ...args);
  return async () => {
    t.same(await client.call('ACL', 'LOG'), [], `nothing was refused at ${port}`);
  };
}

/** Does all that a Larder does at Redis. What `begin` begins is under way while rows change, and is ended by what it returns. */
async function doAll(t: Test, url: string, begin = async () => async () => {}): Promise<void> {
  const database = await freshDatabase(t);
  const sql = openSql(t, database);
  await makeTables(sql);
  await sql`insert into libraries (id, name) values (1, 'the only one')`;
  await sql`insert into shelves (id, library_id, title) select n, 1, 'shelf ' || n from generate_series(1, 20) n`;
  const options: LarderOptions<typeof entities> = {
    entities,
    postgres: { url: database.url },
    redis: { url, timeoutMs: REDIS_PATIENCE_MS },
    cache: { memoryMaxEntries: 0, prefix: 'larder-prod:' },
  };
  await using larder = await createLarder(options);
  const read = async () => {
    const { scope } = larder.createContext();
    const shelves = await larder.repositories.Shelf.findByIds(IDS, scope);
    return { title: shelves[0]?.title, statements: scope.trace.sql.statements };
  };
  await until('Redis answers by id', async () => (await read()).statements === 0);
  const end = await begin();
  await larder.repositories.Shelf.update('1', { title: 'new' });
  t.equal((await read()).title, 'new');
  await sql`update shelves set title = 'newer'`;
  await until('the outbox has told of it', async () => (await read()).title === 'newer');
  await end();
  await until('Redis answers again', async () => (await read()).statements === 0);
  t.match(await larder.pointBuckets(10, 100).take('somebody', 1), { allowed: true, available: 99 });
  // What took too long once is told until it is quick again.
  await until('nothing is wrong', () => larder.health.problems().length === 0);
}

t.test('a Larder does all with the rights that docs/operations.md lists for a single Redis', async (t) => {
  const redis = await freshRedis(t);
  const check = await grant(t, redis.port, single);
  await doAll(t, `redis://larder:secret@127.0.0.1:${redis.port}`);
  await check();
});

t.test('with those for the nodes of a cluster', async (t) => {
  const cluster = await freshCluster(t);
  const checks = await Promise.all(cluster.masters.map(({ port }) => grant(t, port, ofNode)));
  // What is written is being moved.
  const slot = slotOf('larder-prod:Shelf-1');
  const at = Math.floor((slot * cluster.masters.length) / 16_384);
  const [from, to] = [...cluster.masters.slice(at), ...cluster.masters] as [ClusterServer, ClusterServer];
  const asked = async () =>
    /cmdstat_asking:calls=(\d+)/.exec(await cluster.client(to).info('commandstats'))?.[1] ?? '0';
  let before = '0';
  await doAll(t, cluster.url.replace('://', '://larder:secret@'), async () => {
    await cluster.beginMove(slot, from, to);
    before = await asked();
    return async () => {
      t.ok(Number(await asked()) > Number(before), 'it was removed where it moves to');
      await cluster.giveUpMove(slot, from, to);
    };
  });
  for (const check of checks) await check();
});

t.test('and with those for a Sentinel', async (t) => {
  const redis = await freshRedis(t);
  const check = await grant(t, redis.port, single);
  const port = await startSentinel(t, redis.port);
  const checkSentinel = await grant(t, port, ofSentinel);
  const account = 'sentinel_username=larder&sentinel_password=secret';
  await doAll(t, `redis+sentinel://larder:secret@127.0.0.1:${port}/mymaster?${account}`);
  await Promise.all([check(), checkSentinel()]);
});
