import { type Test, t } from 'tap';
import { type Body, LEASE_MARK } from '../../src/cache/entry.ts';
import { LEASE_MS } from '../../src/cache/redis/lease.ts';
import { Trace } from '../../src/trace/trace.ts';
import { bareCache } from '../cache/support/bare-cache.ts';
import { globalId, makeData } from '../support/data.ts';
import { LASTING, openRedis, openServer, startServer, type TestServer } from '../support/server.ts';
import { standingClock } from '../support/standing-clock.ts';
import { until } from '../support/until.ts';

/** More than a busy machine needs. */
const ATTEMPTS = 10;

interface Exchange {
  kind: string;
  name: string;
  keys?: number;
  keyNames?: string[];
  hits?: number;
}

interface Figures {
  cache: Record<string, Record<string, number>>;
  events: Exchange[];
}

async function start(t: Test, env: Record<string, string>) {
  // However long the machine takes, memory knows what it has read.
  const options = { env: { ...LASTING, ...env }, clock: standingClock() };
  const server = await startServer(t, options);
  let asked: TestServer = server;
  await makeData(server.sql, { brands: 2, campaigns: 10, events: 30, perCampaign: 5 });
  await server.database.drained();
  const inspect = async (document: string) => {
    const { errors, extensions } = await asked.query(document, undefined, { 'x-inspect': '1' });
    t.equal(errors, undefined);
    return extensions?.dataFetching as Figures;
  };
  const keys = openRedis(t, server.redis);
  /** Asks for what fills Redis, and a new server for it again where the machine took longer than a lease. */
  const inspectFilling = async (document: string) => {
    for (let attempt = 1; ; attempt += 1) {
      const started = performance.now();
      const figures = await inspect(document);
      if (performance.now() - started < LEASE_MS || attempt === ATTEMPTS) return figures;
      const { database, redis } = server;
      asked = await openServer(t, { database, redis, ...options });
      await keys.unlink(...(await keys.keys('Campaign-*')));
    }
  };
  return { ...server, keys, inspect, inspectFilling };
}

t.test('a read of Redis tells which keys it asked for, and how many of them had a body', async (t) => {
  const { keys, inspect, inspectFilling } = await start(t, { MEMORY_MAX_ENTRIES: '0' });
  const page = '{ campaigns(first: 5) { nodes { title } } }';
  const names = [1, 2, 3, 4, 5].map((id) => `Campaign-${id}`);

  const cold = await inspectFilling(page);
  await keys.unlink('Campaign-2');
  await keys.set('Campaign-3', `${LEASE_MARK}somebody else`, 'PX', 60_000);
  const half = await inspect(page);
  const redisOf = ({ events }: Figures) => events.filter(({ kind }) => kind === 'redis');
  t.match(redisOf(cold), [
    { name: 'MGET', keys: 5, keyNames: names, hits: 0 },
    { name: 'larderLease', keys: 5, keyNames: names },
    { name: 'larderFill', keys: 5, keyNames: names },
  ]);
  t.match(
    redisOf(half),
    [
      { name: 'MGET', keys: 5, keyNames: names, hits: 3 },
      { name: 'larderLease', keys: 2, keyNames: ['Campaign-2', 'Campaign-3'] },
      { name: 'MGET', keys: 1, keyNames: ['Campaign-3'], hits: 0 },
      { name: 'larderFill', keys: 1, keyNames: ['Campaign-2'] },
    ],
    'a lease is no body',
  );
  t.match(half.cache.Campaign, { hits: 3, misses: 2, leased: 1 });
  for (const exchange of [...redisOf(cold), ...redisOf(half)]) {
    t.equal('hits' in exchange, exchange.name === 'MGET', `${exchange.name}: only what reads can hit`);
  }
});

t.test('a Redis that fails has told nothing of its keys', async (t) => {
  const { redis, inspect } = await start(t, { MEMORY_MAX_ENTRIES: '0' });
  await redis.stop();
  const { events } = await inspect('{ campaigns(first: 1) { nodes { title } } }');
  for (const exchange of events) t.notOk('hits' in exchange);
});

t.test('what does not exist is told apart by the tier that knew it', async (t) => {
  const { inspect } = await start(t, {});
  const node = (id: number) => `{ node(id: "${globalId('Campaign', id)}") { id ... on Campaign { title } } }`;
  const document = node(99);
  await until('memory answers by id, as it does once the server hears of changes', async () => {
    return (await inspect(node(98))).cache.Campaign?.memoryHits === 1;
  });
  t.match((await inspect(document)).cache.Campaign, { misses: 1, negative: 0, memoryNegatives: 0 });
  t.match((await inspect(document)).cache.Campaign, { hits: 0, negative: 1, memoryHits: 1, memoryNegatives: 1 });

  const unremembered = await start(t, { MEMORY_MAX_ENTRIES: '0' });
  await unremembered.inspectFilling(document);
  const known = await unremembered.inspect(document);
  t.match(known.cache.Campaign, { hits: 0, negative: 1, memoryHits: 0, memoryNegatives: 0 });
});

t.test('so are bodies and negatives that came with another request', async (t) => {
  const cache = bareCache();
  const space = { entity: 'Thing', shape: '' };
  const wants = ['1', '2', '3'].map((id) => ({ id, version: null }));
  const body: Body = { version: '1', entity: { id: '1' } };
  const [first, second] = [new Trace(), new Trace()];
  // No callback runs between the two reads, so the second meets the first one's on its way.
  const load = async () => new Map([['1', body]]);
  await Promise.all([first, second].map((trace) => cache.read(space, wants, load, trace)));
  t.match(first.entity('Thing'), { hits: 0, negative: 0, misses: 3, joined: 0, joinedNegatives: 0 });
  t.match(second.entity('Thing'), { hits: 1, negative: 2, misses: 0, joined: 1, joinedNegatives: 2 });
});
