import { Redis } from 'ioredis';
import { t } from 'tap';
import { slotOf } from '../../../src/cache/cluster/slots.ts';
import { openCache } from '../../../src/cache/open-cache.ts';
import { freshCluster } from '../../support/redis-cluster.ts';
import { REDIS_PATIENCE_MS } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';
import { until } from '../../support/until.ts';
import { IDS, idsOf, keyOf, makeShelves, openShelves } from '../support/cluster-shelves.ts';

const [cluster, database] = await Promise.all([freshCluster(t), makeShelves(t)]);
const sql = openSql(t, database);
const [first, second, third] = cluster.masters;
if (first === undefined || second === undefined || third === undefined) throw new Error('There are not three masters.');

t.test('a node is told of what it got after the drainer last saw its slots', async (t) => {
  for (const master of cluster.masters) {
    await cluster.client(master).call('ACL', 'SETUSER', 'old', 'on', '>secret', '~*', '&*', '+@all');
  }
  const drainer = await openShelves(t, { url: cluster.url.replace('//', '//old:secret@') }, database, 0);
  await until('all nodes answer by id', () => drainer.isCached(IDS));
  // Nothing that the second says of its slots reaches this process any more.
  await cluster.client(second).call('ACL', 'SETUSER', 'old', '-cluster|slots');
  // Its lowest slot stays the same, of which the names of its own keys are made.
  const [id = ''] = idsOf(cluster, third);
  await cluster.move([slotOf(keyOf(id))], third, second);
  const other = await openShelves(t, cluster, database, 0);
  await until('it is filled where it belongs', () => other.isCached([id]));
  t.match(await cluster.client(second).get(keyOf(id)), /"title":"0"/);
  await other.larder.close();

  await sql`update shelves set title = '1' where id = ${id}`;
  await database.drained();
  t.notMatch((await cluster.client(second).get(keyOf(id))) ?? '', /"title":"0"/, 'it was told');
  const reader = await openShelves(t, cluster, database, 0);
  await until('it answers by id', () => reader.isCached([id]));
  t.same((await reader.read([id])).titles, ['1']);
  await cluster.move([slotOf(keyOf(id))], second, third);
  await reader.larder.close();
  await drainer.larder.close();
});

t.test(
  'memory believes no node for a slot that it says it has given away, though nobody says that he has it',
  async (t) => {
    const { read, isCached } = await openShelves(t, cluster, database, 1000);
    const [id = ''] = idsOf(cluster, first).filter((id) => slotOf(keyOf(id)) > 0);
    const slot = slotOf(keyOf(id));
    await until('it is in memory', () => isCached([id]));
    const client = cluster.client(first);
    await client.call('CLUSTER', 'DELSLOTS', slot);
    const looks = async () =>
      Number(/cmdstat_cluster\|slots:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0);
    const before = await looks();
    // When it looks for the second time, it has read what it saw at the first.
    await until('the process has seen it', async () => (await looks()) >= before + 2);
    for (let round = 0; round < 20; round += 1) t.equal((await read([id])).statements, 1);
    await client.call('CLUSTER', 'ADDSLOTS', slot);
    await until('it is believed again', () => isCached([id]));
  },
);

t.test("where a slot is nobody's, what is in the others is told all the same", async (t) => {
  const [[lost = ''], [kept = '']] = [
    idsOf(cluster, first).filter((id) => slotOf(keyOf(id)) > 0),
    idsOf(cluster, second),
  ];
  await cluster.client(first).call('CLUSTER', 'DELSLOTS', slotOf(keyOf(lost)));
  const times = { redisTimeoutMs: REDIS_PATIENCE_MS, ttlMs: 60_000, memoryTtlMs: 1000 };
  // The others go on saying that the first has it.
  const settings = {
    redisUrl: `redis+cluster://${first.host}:${first.port}`,
    prefix: '',
    memoryMaxEntries: 0,
    ...times,
  };
  const { cache, cluster: nodes, close } = openCache(settings, (error) => t.comment(error.message));
  t.teardown(close);
  const isKnown = () => nodes?.all.length === 3 && nodes.all.every(({ isFresh }) => isFresh) && nodes.uncovered === 1;
  await until('the nodes have answered', isKnown);
  await cluster.client(second).set(keyOf(kept), 'what is outdated');
  const changed = [lost, kept].map((id) => ({ entity: 'Shelf', id }));
  await t.rejects(cache.invalidate(changed, false), /No node of the cluster is known/);
  t.equal(await cluster.client(second).exists(keyOf(kept)), 0);
  await cluster.client(first).call('CLUSTER', 'ADDSLOTS', slotOf(keyOf(lost)));
});

t.test(
  'what changes amid the move of its slot is forgotten at both masters, and so nothing old comes back when it is given up',
  async (t) => {
    const [writer, reader] = [
      await openShelves(t, cluster, database, 0),
      await openShelves(t, cluster, database, 1000),
    ];
    const ids = idsOf(cluster, first)
      .filter((id) => slotOf(keyOf(id)) > 0)
      .slice(0, 3);
    const [written = '', changed = '', kept = ''] = ids;
    const [before] = (await reader.read([kept])).titles;
    await until('all answer by id', async () => (await writer.isCached(ids)) && (await reader.isCached(ids)));
    for (const id of ids) await cluster.beginMove(slotOf(keyOf(id)), first, second);
    const atSecond = async (id: string) => {
      const client = cluster.client(second);
      const [, held] = await Promise.all([client.asking(), client.get(keyOf(id))]);
      return held;
    };
    for (const id of ids) t.ok(await atSecond(id), 'its body has moved');
    const subscriber = new Redis(first.port, first.host);
    t.teardown(() => subscriber.disconnect());
    const numbers: unknown[] = [];
    subscriber.on('message', (_channel, text: string) => {
      const { replyTo, number } = JSON.parse(text);
      if (replyTo !== undefined) numbers.push(number);
    });
    await subscriber.subscribe(`larder:${first.id}:larder:invalidations`);
    await writer.rename(written, 'by a writer');
    // Where the machine stood still for a second, the drainer does it.
    await until('it is removed there', async () => (await atSecond(written)) === null);
    await until('all are told of it twice', () => numbers.length >= 2);
    t.equal(new Set(numbers).size, numbers.length, 'and have to acknowledge it twice');
    await sql`update shelves set title = 'by psql' where id = ${changed}`;
    await database.drained();
    t.equal(await atSecond(changed), null);
    t.ok(await atSecond(kept));

    for (const id of ids) await cluster.giveUpMove(slotOf(keyOf(id)), first, second);
    const right = ['by a writer', 'by psql', before];
    for (let round = 0; round < 20; round += 1) {
      for (const { read } of [reader, writer]) t.same((await read(ids)).titles, right);
    }
    for (const { isCached } of [reader, writer]) await until('all answer by id again', () => isCached(ids));
    t.match(await cluster.client(first).get(keyOf(kept)), `"title":"${before}"`);
    for (const { larder } of [reader, writer]) {
      await until('nothing is wrong', () => larder.health.problems().length === 0);
    }
  },
);

t.test('where the master is gone that a slot is moved to, the one that it comes from goes on', async (t) => {
  const { rename, read, isCached } = await openShelves(t, cluster, database, 0);
  const [moved = '', ...others] = idsOf(cluster, first).filter((id) => slotOf(keyOf(id)) > 0);
  await until('all answer by id', () => isCached([moved, ...others]));
  await cluster.beginMove(slotOf(keyOf(moved)), first, third);
  third.kill('SIGKILL');
  await rename(moved, 'by a writer');
  t.same((await read([moved])).titles, ['by a writer']);
  await sql`update shelves set title = 'by psql'`;
  const right = others.map(() => 'by psql');
  await until('the others answer by id what they are now', async () => {
    const { titles, statements } = await read(others);
    return statements === 0 && titles.join() === right.join();
  });
  t.same((await read([moved])).titles, ['by psql']);
  await third.restart();
  await cluster.giveUpMove(slotOf(keyOf(moved)), first, third);
  await until('it answers by id, too', () => isCached([moved]));
  t.same((await read([moved, ...others])).titles, ['by psql', ...right]);
});
