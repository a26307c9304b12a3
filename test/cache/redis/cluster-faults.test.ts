import { Registry } from 'prom-client';
import { type Test, t } from 'tap';
import { slotOf } from '../../../src/cache/cluster/slots.ts';
import type { ClusterServer } from '../../../src/cli/services/redis-cluster.ts';
import { openMetrics } from '../../../src/http/telemetry/metrics.ts';
import { metricsOf } from '../../../src/http/telemetry/metrics-of.ts';
import { freshCluster, type TestCluster } from '../../support/redis-cluster.ts';
import { until } from '../../support/until.ts';
import { IDS, idsOf, keyOf, makeShelves, openShelves } from '../support/cluster-shelves.ts';

/** Each mark that says whose a node is: how often it was turned over. */
async function marksOf(cluster: TestCluster, node: ClusterServer): Promise<number[]> {
  const client = cluster.client(node);
  const names = (await client.keys('larder:domain:*')).filter((name) => name.endsWith(node.id));
  const marks = names.map((name) =>
    client.get(name).catch((error: Error) => {
      // Its slot has moved since it was found.
      if (error.message.startsWith('MOVED ')) return null;
      throw error;
    }),
  );
  return (await Promise.all(marks)).filter((mark) => mark !== null).map((mark) => Number(mark.split(' ')[1]));
}

t.test('slots that move, and a node that is gone', async (t) => {
  const [cluster, database] = await Promise.all([freshCluster(t), makeShelves(t)]);
  const [first, second, third] = cluster.masters;
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('There are not three masters.');
  const writer = await openShelves(t, cluster, database, 0);
  const readers = [writer, await openShelves(t, cluster, database, 0), await openShelves(t, cluster, database, 1000)];
  for (const { isCached } of readers) await until('all nodes answer by id', () => isCached(IDS));
  const written = new Map(IDS.map((id) => [id, 0]));

  /** Reads by id and compares with what was written before, until the work is done. Returns how many bodies it has looked at. */
  const judgeWhile = async (t: Test, work: Promise<void>): Promise<number> => {
    let done = false;
    let judged = 0;
    const wrong: string[] = [];
    const judge = async ({ read }: (typeof readers)[number]) => {
      while (!done) {
        const least = new Map(written);
        const { titles } = await read(IDS);
        for (const [i, id] of IDS.entries()) {
          judged += 1;
          if (Number(titles[i]) < (least.get(id) ?? 0)) wrong.push(`${id}: ${titles[i]} after ${least.get(id)}`);
        }
        // Timers, sockets and the work have their turn.
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    const judges = readers.map(judge);
    try {
      await work;
    } finally {
      done = true;
      await Promise.all(judges);
    }
    t.same(wrong, [], `none of ${judged} bodies is older than what was written`);
    return judged;
  };
  const write = async (ids: readonly string[]) => {
    await Promise.all(
      ids.map(async (id) => {
        const next = (written.get(id) ?? 0) + 1;
        await writer.rename(id, String(next));
        written.set(id, next);
      }),
    );
  };

  await t.test('are read right, there and back, and are cached again', async (t) => {
    const moving = idsOf(cluster, first).slice(0, 8);
    t.ok(moving.length >= 4, `${moving.length} keys move`);
    const slots = moving.map((id) => slotOf(keyOf(id)));
    const judged = await judgeWhile(
      t,
      (async () => {
        for (const [from, to] of [
          [first, second],
          [second, first],
        ] as const) {
          // Amid its move a slot is written to, and no node has all of it.
          const amid = async (slot: number) => {
            const id = moving[slots.indexOf(slot)] ?? '';
            if (slots.indexOf(slot) % 4 === 0) await write([id]);
          };
          await cluster.move(slots, from, to, amid);
          await write(IDS);
          // Long enough that whoever had left its mark behind would find it outdated.
          let before: number | null = null;
          await until('the mark is turned over twice', async () => {
            const turns = await marksOf(cluster, to);
            // A node that has just got the slots may not have been marked yet.
            if (turns.length === 0) return false;
            before ??= Math.min(...turns);
            return Math.min(...turns) >= before + 2;
          });
        }
      })(),
    );
    t.ok(judged > 100);
    for (const { isCached } of readers) await until('all nodes answer by id again', () => isCached(IDS));
    // What took too long once is told until it is quick again.
    for (const { larder } of readers) await until('nothing is wrong', () => larder.health.problems().length === 0);
    for (const master of cluster.masters) t.equal((await marksOf(cluster, master)).length, 1, 'each has one mark');
    for (const id of moving) t.equal(await cluster.client(first).exists(keyOf(id)), 1, 'and it is where it belongs');
  });

  await t.test('the others go on caching, it is said, and what was missed is not seen when it is back', async (t) => {
    const [gone, left] = [idsOf(cluster, third), [...idsOf(cluster, first), ...idsOf(cluster, second)]];
    await judgeWhile(
      t,
      (async () => {
        third.kill('SIGKILL');
        await write(gone.slice(0, 2));
        await until('it is noticed', async () => (await writer.larder.health.redis()) === false);
        await until('it is said', () =>
          writer.larder.health
            .problems()
            .some((line) => line.includes(`${third.host}:${third.port} of the Redis cluster`)),
        );
        for (const { isCached } of readers) await until('the others answer by id', () => isCached(left));
        await write(left.slice(0, 2));
        await write(gone.slice(0, 2));
        for (const { isCached } of readers) await until('the others answer by id', () => isCached(left));
        await third.restart();
        await until('it is back', () => writer.isCached(IDS));
        await write(IDS);
      })(),
    );
    for (const { isCached } of readers) await until('all nodes answer by id again', () => isCached(IDS));
    for (const { larder } of readers) {
      await until('nothing is wrong any more', () => larder.health.problems().length === 0);
      t.equal(await larder.health.redis(), true);
    }
    await database.drained();
  });
});

// A node is taken for gone so late that no replica takes the place of a busy master by itself.
t.test('a replica that has missed the last invalidation and takes the place of its master', async (t) => {
  const [cluster, database] = await Promise.all([
    freshCluster(t, { replicas: 1, nodeTimeoutMs: 15_000 }),
    makeShelves(t),
  ]);
  const [master, replica] = [cluster.masters[0], cluster.replicas[0]];
  if (master === undefined || replica === undefined) throw new Error('There is no replica.');
  const { larder, read, isCached, rename } = await openShelves(t, cluster, database, 0);
  const { registry } = openMetrics(metricsOf(larder), new Registry());
  const nodesInFigures = async () => {
    const labels = (await registry.metrics()).matchAll(/^larder_redis_\w+\{.*node="([^"]+)".*\}/gm);
    return [...new Set([...labels].map(([, node = '']) => node))].sort();
  };
  const labelOf = ({ host, port }: ClusterServer) => `${host}:${port}`;
  const other = await openShelves(t, cluster, database, 1000);
  await until('all nodes answer by id', async () => (await isCached(IDS)) && (await other.isCached(IDS)));
  t.same(await nodesInFigures(), cluster.masters.map(labelOf).sort());
  const own = idsOf(cluster, master);
  const [id = ''] = own;
  const old = cluster.client(replica);
  await old.call('READONLY');
  await until('the replica has the body', async () => (await old.get(keyOf(id))) !== null);

  // What is sent to a process that is stopped waits for it, and so the connection ends first.
  replica.kill('SIGSTOP');
  await cluster.client(master).call('CLIENT', 'KILL', 'TYPE', 'replica');
  await rename(id, '1');
  t.same((await read([id])).titles, ['1']);
  master.kill('SIGKILL');
  replica.kill('SIGCONT');
  await cluster.client(replica).call('CLUSTER', 'FAILOVER', 'TAKEOVER');
  t.match(await old.get(keyOf(id)), /"title":"0"/, 'it has what was forgotten');
  for (let round = 0; round < 50; round += 1) {
    t.same((await read([id])).titles, ['1']);
    t.same((await other.read([id])).titles, ['1']);
  }
  await until('its successor answers', async () => {
    const [one, two] = [await read(IDS), await other.read(IDS)];
    t.same([one.titles[IDS.indexOf(id)], two.titles[IDS.indexOf(id)]], ['1', '1']);
    return one.statements === 0 && two.statements === 0;
  });
  t.match(await cluster.client(replica).get(keyOf(id)), /"title":"1"/);
  await rename(id, '2');
  t.same((await other.read([id])).titles, ['2']);

  const left = [replica, ...cluster.masters.slice(1)].map(labelOf).sort();
  await until('figures are of the masters that there are', async () => `${await nodesInFigures()}` === `${left}`);

  await master.restart();
  await until('the old master is a replica that can take over', async () => {
    const info = await cluster.client(master).info('replication');
    return /role:slave/.test(info) && /master_link_status:up/.test(info);
  });
  await until(
    'nothing is wrong',
    async () => larder.health.problems().length === 0 && (await larder.health.redis()) === true,
  );
  const failOver = () =>
    cluster
      .client(master)
      .call('CLUSTER', 'FAILOVER')
      .catch((error: Error) => {
        // It has lost its link to the other for a moment, or has taken its place meanwhile.
        if (!/Master is down or failed|You should send CLUSTER FAILOVER to a/.test(error.message)) throw error;
      });
  // It is asked for again when the others were too busy to agree in time.
  for (let asked = 0; (await cluster.client(master).role())[0] !== 'master'; asked += 1) {
    if (asked % 600 === 0) await failOver();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await rename(id, '3');
  t.same([(await read([id])).titles, (await other.read([id])).titles], [['3'], ['3']]);
  await until('it answers', async () => (await isCached(IDS)) && (await other.isCached(IDS)));
  t.match(await cluster.client(master).get(keyOf(id)), /"title":"3"/, 'it is the one that is asked');
});
