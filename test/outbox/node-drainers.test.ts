import { t } from 'tap';
import { idsOf, makeShelves, openShelves } from '../cache/support/cluster-shelves.ts';
import { freshCluster } from '../support/redis-cluster.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

t.test('what is said of the outbox is of the nodes that are drained', async (t) => {
  const [cluster, database] = await Promise.all([freshCluster(t), makeShelves(t)]);
  const [first, second, third] = cluster.masters;
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('There are not three masters.');
  const sql = openSql(t, database);
  third.kill('SIGKILL');
  const { larder, isCached } = await openShelves(t, cluster, database, 0);
  const { outbox, problems } = larder.health;
  await until('two answer by id', () => isCached([...idsOf(cluster, first), ...idsOf(cluster, second)]));
  await until('nothing waits for them', () => outbox()?.depth === 0);
  const named = `${third.host}:${third.port} of the Redis cluster`;
  await until('the one that never answered is named', () => problems().some((line) => line.includes(named)));

  const client = cluster.client(second);
  const [name = ''] = await client.keys('larder:domain:*');
  const domain = (await client.get(name))?.split(' ')[0] ?? '';
  second.kill('SIGKILL');
  const [id = ''] = idsOf(cluster, second);
  await sql`update shelves set title = 'new' where id = ${id}`;
  // Longer than for the other, which reads four times a second.
  await until('it waits for the one that is gone', () => (outbox()?.ageMs ?? 0) > 3000);
  t.equal(outbox()?.depth, 1);
  const retired = await sql`update cache_domains set position = null where id = ${domain} returning id`;
  t.equal(retired.length, 1, 'as if it had been gone for a minute: nothing waits for it');
  await until('nor is it said', () => outbox()?.depth === 0);
});
