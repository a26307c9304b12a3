import { Cluster } from 'ioredis';
import { type Test, t } from 'tap';
import { slotOf } from '../../../src/cache/cluster/slots.ts';
import { createLarder, type LarderOptions } from '../../../src/index.ts';
import { faultyProxy } from '../../support/faulty-proxy.ts';
import { entities, makeTables } from '../../support/library.ts';
import { freshCluster } from '../../support/redis-cluster.ts';
import { freshDatabase, REDIS_PATIENCE_MS } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';
import { until } from '../../support/until.ts';
import { idsOf } from '../support/cluster-shelves.ts';

const IDS = Array.from({ length: 60 }, (_, i) => String(i + 1));

const [cluster, database] = await Promise.all([freshCluster(t), freshDatabase(t)]);
const sql = openSql(t, database);
await makeTables(sql);
await sql`insert into libraries (id, name) values (1, 'the only one')`;
await sql`insert into shelves (id, library_id, title) select n, 1, 'shelf ' || n from generate_series(1, 60) n`;

type Options = Omit<LarderOptions<typeof entities>, 'entities' | 'postgres'>;

async function open(t: Test, { redis, cache }: Options = {}) {
  const larder = await createLarder({
    entities,
    postgres: { url: database.url },
    redis: { ...(redis ?? { url: cluster.url }), timeoutMs: REDIS_PATIENCE_MS },
    // So long that what is cached is believed however long a busy machine takes.
    cache: { maxStalenessMs: 600_000, memoryMaxEntries: 0, ...cache },
  });
  t.teardown(larder.close);
  const read = async (ids: readonly string[] = IDS) => {
    const context = larder.createContext();
    const shelves = await larder.repositories.Shelf.findByIds(ids, context.scope);
    const { sql, redis, cache } = context.scope.trace;
    return { titles: shelves.map((shelf) => shelf?.title), statements: sql.statements, redis, counts: cache.Shelf };
  };
  await until('all nodes answer by id', async () => (await read()).statements === 0);
  return { larder, read };
}

t.test(
  'each node has the bodies in its slots, vouches for them, and is asked once and at the same time as the others',
  async (t) => {
    const { larder, read } = await open(t);
    let [redis, keys] = [new Set<string>(), 0];
    for (const master of cluster.masters) {
      const client = cluster.client(master);
      const held = (await client.keys('*')).filter((key) => /^Shelf-\d+$/.test(key));
      keys += held.length;
      t.ok(held.length > 0 && held.length < IDS.length, `${held.length} bodies`);
      t.ok((await cluster.heartbeatOf(master)).endsWith(`:${master.id}`), 'it is vouched for by itself');
      await client.config('RESETSTAT');
    }
    t.equal(keys, IDS.length, 'the keys are whole');
    const starts: number[] = [];
    const ends: number[] = [];
    const heard = larder.channels.redis.subscribe(({ name, node, started, ms }) => {
      if (name !== 'MGET') return;
      redis = redis.add(String(node));
      starts.push(started);
      ends.push(started + ms);
    });
    const { titles, statements, redis: figures, counts } = await read();
    heard();
    t.same(
      titles,
      IDS.map((id) => `shelf ${id}`),
    );
    t.equal(statements, 0);
    t.equal(counts?.hits, IDS.length);
    t.same([...redis].sort(), cluster.masters.map(({ host, port }) => `${host}:${port}`).sort());
    t.ok(Math.max(...starts) <= Math.min(...ends), 'each was asked before any had answered');
    t.equal(starts.length, cluster.masters.length);
    t.equal(
      figures.commands,
      IDS.length + cluster.masters.length,
      'a command for each key, and one for each heartbeat',
    );
    await until('nothing is wrong', () => larder.health.problems().length === 0);
    t.equal(await larder.health.redis(), true);
  },
);

t.test('what misses at several nodes is read by one statement, and kept at each', async (t) => {
  const { read } = await open(t);
  for (const master of cluster.masters) {
    const client = cluster.client(master);
    const keys = (await client.keys('*')).filter((key) => /^Shelf-\d+$/.test(key));
    await Promise.all(keys.map((key) => client.unlink(key)));
  }
  const cold = await read();
  t.equal(cold.statements, 1);
  t.equal(cold.counts?.misses, IDS.length);
  t.equal(cold.counts?.fills, IDS.length);
  t.equal((await read()).statements, 0);
  // Where misses are to be expected they are leased in the same round trip.
  for (let round = 0; round < 4; round += 1) {
    for (const master of cluster.masters) {
      const client = cluster.client(master);
      const keys = (await client.keys('*')).filter((key) => /^Shelf-\d+$/.test(key));
      await Promise.all(keys.map((key) => client.unlink(key)));
    }
    const again = await read();
    t.equal(again.statements, 1);
    t.equal(again.counts?.fills, IDS.length);
  }
  t.equal((await read()).statements, 0);
});

t.test('a mutation is seen at once in another process, and what psql wrote soon, whichever node has it', async (t) => {
  const [one, other] = [
    await open(t, { cache: { memoryMaxEntries: 1000 } }),
    await open(t, { cache: { memoryMaxEntries: 1000 } }),
  ];
  for (const id of IDS.slice(0, 12)) {
    await one.larder.repositories.Shelf.update(id, { title: `renamed ${id}` });
    t.same((await other.read([id])).titles, [`renamed ${id}`]);
  }
  await sql`update shelves set title = 'by psql ' || id`;
  await until('all of it is seen', async () =>
    (await other.read()).titles.every((title) => title?.startsWith('by psql')),
  );
  await database.drained();
  await until('caches answer again', async () => (await other.read()).statements === 0);
  t.same(
    (await one.read()).titles,
    IDS.map((id) => `by psql ${id}`),
  );
});

t.test('a heartbeat of another process, which replication or a snapshot brought, vouches for nothing', async (t) => {
  const { read } = await open(t);
  const [id = ''] = IDS;
  const [right] = (await read([id])).titles;
  const another = 'f'.repeat(40);
  for (const master of cluster.masters) {
    const client = cluster.client(master);
    const heartbeat = await cluster.heartbeatOf(master);
    const body = await client.get(`Shelf-${id}`).catch(() => null);
    if (body === null) continue;
    const { epoch, ...held } = JSON.parse(body) as { epoch: string; entity: object };
    const forged = another + epoch.slice(another.length);
    const text = JSON.stringify({ ...held, epoch: forged, entity: { ...held.entity, title: 'forged' } });
    // Its own heartbeat comes back four times a second.
    for (let round = 0; round < 20; round += 1) {
      await Promise.all([client.set(`Shelf-${id}`, text), client.set(heartbeat, forged, 'PX', 1000), client.ping()]);
      t.same((await read([id])).titles, [right]);
    }
  }
  await until('it is replaced', async () => (await read()).statements === 0);
  t.same((await read([id])).titles, [right]);
});

t.test('a client of a cluster, or what makes one, says where it is', async (t) => {
  const [first] = cluster.masters;
  const nodes = [{ host: first?.host ?? '', port: first?.port ?? 0 }];
  const client = new Cluster(nodes, { lazyConnect: true, redisOptions: { stringNumbers: true } });
  t.teardown(() => client.disconnect());
  const { read } = await open(t, { redis: { client } });
  t.equal((await read()).statements, 0);
  t.equal(client.status, 'wait', 'it is left alone');
  const made = await open(t, { redis: { connect: (options) => new Cluster(nodes, { redisOptions: options }) } });
  t.equal((await made.read()).statements, 0);
});

t.test('a node that a natMap refuses is told of, and the others are used', async (t) => {
  const [first, second] = cluster.masters;
  if (first === undefined || second === undefined) throw new Error('There are no nodes.');
  const natMap = (named: string) => {
    if (named === `${second.host}:${second.port}`) throw new Error(`Nobody knows ${named}`);
    return null;
  };
  const client = new Cluster([{ host: first.host, port: first.port }], { lazyConnect: true, natMap });
  t.teardown(() => client.disconnect());
  let said = '';
  const warn = (details: object) => {
    said += JSON.stringify(details);
  };
  await using larder = await createLarder({
    entities,
    postgres: { url: database.url },
    redis: { client, timeoutMs: REDIS_PATIENCE_MS },
    cache: { maxStalenessMs: 600_000, memoryMaxEntries: 0 },
    logger: { info: () => {}, warn },
  });
  const refused = idsOf(cluster, second);
  const read = async (ids: readonly string[]) => {
    const { scope } = larder.createContext();
    const shelves = await larder.repositories.Shelf.findByIds(ids, scope);
    return { found: shelves.map((shelf) => shelf?.id), statements: scope.trace.sql.statements };
  };
  const others = IDS.slice(0, 40).filter((id) => !refused.includes(id));
  await until('the others answer by id', async () => (await read(others)).statements === 0);
  t.same((await read(refused)).found, refused, 'Postgres answers for it');
  await until('it is told', () => said.includes(`Nobody knows ${second.host}:${second.port}`));
});

t.test('keys are in the slots that Redis says', async (t) => {
  const [first] = cluster.masters;
  if (first === undefined) throw new Error('There is no node.');
  for (const key of ['Shelf-1', 'a{b}c', 'a{}c', '{a}{b}', 'é{ü}', '}x{', '', 'a{b', '{{a}}']) {
    t.equal(slotOf(key), await cluster.client(first).call('CLUSTER', 'KEYSLOT', key), key);
  }
});

t.test('a single node of it is not taken for all of it', async (t) => {
  const [first] = cluster.masters;
  const asValkey = await faultyProxy(t, first?.port ?? 0);
  asValkey.garble((real) =>
    Buffer.from(real.toString('latin1').replace('redis_mode:cluster\r\n', 'server_mode:cluster\n'), 'latin1'),
  );
  for (const port of [first?.port, asValkey.port]) {
    const redis = { url: `redis://127.0.0.1:${port}`, timeoutMs: REDIS_PATIENCE_MS };
    await using larder = await createLarder({ entities, postgres: { url: database.url }, redis });
    const said = /This Redis is a node of a cluster.*redis\+cluster:/;
    // What it was refused may be said before.
    await until('it is said', () => said.test(larder.health.problems().join()));
    t.match(larder.health.problems().join(), said);
  }
});

t.test('what cannot be is named when a Larder opens', async (t) => {
  const opened = (redis: string, prefix = '') =>
    createLarder({ entities, postgres: { url: database.url }, redis: { url: redis }, cache: { prefix } });
  const wrong: [() => Promise<unknown>, RegExp][] = [
    [() => opened('redis+cluster://'), /redis\.url: expected nodes of the cluster, such as/],
    [() => opened('redis+cluster://a:7000,b:7001/1'), /redis\.url: a cluster has the database 0 alone/],
    [() => opened('redis+cluster://a?name=x'), /redis\.url: does not understand the parameter name/],
    [() => opened(cluster.url, '{shop}'), /the prefix of the cache has a brace/],
  ];
  for (const [attempt, message] of wrong) await t.rejects(attempt(), { name: 'WrongValue', message });
});
