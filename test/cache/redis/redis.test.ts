import { t } from 'tap';
import type { Loader } from '../../../src/cache/read-through.ts';
import { Trace } from '../../../src/trace/trace.ts';
import { beat, bodiesOf, HEARTBEAT, key, openRedisCache, shelf, TTL_MS, thing } from '../support/redis-cache.ts';

const NEGATIVE_TTL_MS = 30_000;

const { redis, keys, tier, read, holds } = await openRedisCache(t);

t.test('bodies and negatives are kept for their time, give or take a tenth', async (t) => {
  const ids = Array.from({ length: 60 }, (_, i) => String(1 + i));
  const existing = ids.slice(0, 30);
  const started = performance.now();
  await read(shelf(...existing.map((id) => thing(id))), ...ids);
  for (const [kind, of, ttl] of [
    ['bodies', existing, TTL_MS],
    ['negatives', ids.slice(30), NEGATIVE_TTL_MS],
  ] as const) {
    const left = await Promise.all(of.map((id) => keys.pttl(key(id))));
    const passed = performance.now() - started;
    t.ok(Math.min(...left) > ttl * 0.9 - passed - 2, `${kind}: the shortest is ${Math.min(...left)} ms`);
    t.ok(Math.max(...left) <= ttl * 1.1, `${kind}: the longest is ${Math.max(...left)} ms`);
    t.ok(Math.max(...left) - Math.min(...left) > ttl * 0.05, `${kind} filled together do not expire together`);
  }
});

t.test('what stands there is what was documented', async (t) => {
  await read(shelf(thing('1')), '1', '2');
  const epoch = await keys.get(HEARTBEAT);
  t.same(JSON.parse((await keys.get(key('1'))) ?? ''), { shape: 'abc', id: '1', epoch, ...thing('1') });
  t.same(JSON.parse((await keys.get(key('2'))) ?? ''), { shape: 'abc', id: '2', epoch, version: null, entity: null });
});

t.test('a reading costs one MGET, and one more round trip for each of lease and fill', async (t) => {
  await read(shelf(thing('3')), '3');
  await read(shelf(), '3');
  await redis.resetCounts();
  await read(shelf(thing('1'), thing('2')), '1', '2');
  t.match(await redis.commandCounts(), { mget: 1, evalsha: 2, set: 4, get: 2 });
  await redis.resetCounts();
  const { redis: figures } = await read(shelf(), '1', '2');
  t.same(await redis.commandCounts(), { mget: 1 });
  t.equal(figures.commands, 1);
});

t.test('a reading that follows three with misses reads and leases in one round trip', async (t) => {
  await read(shelf(thing('1')), '1');
  await read(shelf(), '1');
  for (const id of ['2', '3', '4']) await read(shelf(thing(id)), id);
  for (const want of ['5', ['6', '1']] as const) {
    const load: Loader = async (ids) => {
      t.match(await keys.get(key(ids[0] ?? '')), /^~/, 'leased before the SELECT');
      return bodiesOf(thing(ids[0] ?? ''));
    };
    await redis.resetCounts();
    const { found, counts, redis: figures } = await read(load, '1', want);
    t.same([...found.keys()].length, 2);
    t.match(counts, { hits: 1, misses: 1, leases: 1, fills: 1 });
    const { get = 0, ...sent } = await redis.commandCounts();
    t.equal(sent.mget, 1);
    const total = Object.values(sent).reduce((sum, count) => sum + count, get - 1);
    t.equal(figures.commands, total, 'what it cost is counted');
  }
  await keys.del(HEARTBEAT);
  const { counts } = await read(shelf(thing('7')), '7', ['8', '1']);
  t.match(counts, { misses: 2, leases: 1, bypassed: 1 }, 'what nobody vouches for is not leased');
  t.equal(await keys.exists(key('7')), 0);
});

t.test('what is no body of this shape is dropped and replaced', async (t) => {
  const body = (shape: string, more: object = {}) =>
    JSON.stringify({ shape, id: '1', epoch: '', version: '1', entity: { id: '1', name: 'wrong' }, ...more });
  const strangers: Record<string, string> = {
    'of another shape': body('xyz'),
    'of another entity': body('abc', { id: '2' }),
    'of another run of Redis': body('abc'),
    'without an entity': '{"shape":"abc","id":"1","epoch":"","version":"1"}',
    'with an entity that is none': body('abc', { entity: 7 }),
    'with a list for an entity': body('abc', { entity: ['wrong'] }),
    'with a number for a version': body('abc', { version: 1 }),
    'without a version': body('abc', { version: null }),
    'without an epoch': '{"shape":"abc","id":"1","version":"1","entity":{"id":"1"}}',
    'that is no JSON': '{"shape":"abc",',
    'that is other JSON': '[1,2]',
    'that is null': 'null',
    'that is empty': '',
    'that is not text': '\xff\xfe\0',
    'that is huge': 'x'.repeat(1_000_000),
  };
  for (const [name, text] of Object.entries(strangers)) {
    for (const want of ['1', ['1', '1']] as const) {
      const byId = typeof want === 'string';
      // By version, which no run of Redis changes, it would be a body.
      if (!byId && name === 'of another run of Redis') continue;
      await keys.set(key('1'), text);
      const { found, counts } = await read(shelf(thing('1')), want);
      t.same(found, bodiesOf(thing('1')), `${name}: the row is read`);
      t.match(counts, { misses: 1, stale: 1, fills: 1 }, `${name}: and counted`);
      t.ok(await holds('1', '1'), `${name}: and left in its place`);
      const again = await read(shelf(), want);
      t.match(again.counts, { hits: 1, misses: 0 }, `${name}: for the next reader`);
    }
  }
});

t.test('a key of another type harms nobody, and is filled by the next reader', async (t) => {
  for (const want of ['1', ['1', '1']] as const) {
    await keys.del(key('1'), key('2'), key('4'));
    await keys.hset(key('1'), 'name', 'wrong');
    await keys.rpush(key('2'), 'wrong');
    await read(shelf(thing('3')), '3');
    const load = shelf(thing('1'), thing('2'), thing('3'), thing('4'));
    await redis.resetCounts();
    const { found, counts, redis: figures } = await read(load, want, '2', '3', '4');
    const sent = Object.values(await redis.commandCounts()).reduce((sum, count) => sum + count, 0);
    t.equal(figures.commands, sent, 'what it cost is counted');
    t.same([found.get('1'), found.get('2')], [thing('1'), thing('2')], 'the rows are read');
    t.notOk(load.asked.flat().includes('3'), 'what was cached is used');
    t.ok(await holds('4', '1'), 'what was missing is filled');
    t.match(counts, { misses: 3, fills: 1 });
    t.match((await read(load, want, '2')).counts, { misses: 2, fills: 2 }, 'who comes next fills');
    t.match((await read(shelf(), want, '2')).counts, { hits: 2, misses: 0 }, 'and then it is as if nothing had been');
  }
});

t.test('a Redis that is full gives no leases, not even for what it could replace', async (t) => {
  await keys.set(key('1'), JSON.stringify({ shape: 'abc', id: '1', epoch: '', version: '1', entity: {} }));
  await keys.hset(key('2'), 'name', 'wrong');
  t.teardown(() => keys.config('SET', 'maxmemory', '0'));
  await keys.config('SET', 'maxmemory', '1');
  const load = shelf(thing('1', '2'), thing('2'), thing('3'));
  const { found, counts, redis: figures } = await read(load, ['1', '2'], '2', '3');
  await keys.config('SET', 'maxmemory', '0');
  t.same([found.get('1'), found.get('3')], [thing('1', '2'), thing('3')], 'the rows are read');
  t.match(counts, { misses: 3, leases: 0, fills: 0 });
  t.equal(await keys.exists(key('3')), 0);
  t.ok(figures.commands > 0);
});

t.test('a version that is not the one that a list named', async (t) => {
  await read(shelf(thing('1', '1')), '1');
  const load = shelf(thing('1', '2'));
  const { found, counts } = await read(load, ['1', '2']);
  t.same(found, bodiesOf(thing('1', '2')), 'is read again');
  t.match(counts, { stale: 1, misses: 1, hits: 0 });
  t.ok(await holds('1', '2'), 'and replaced');

  const behind = await read(shelf(thing('1', '3')), ['1', '1']);
  t.same(behind.found, bodiesOf(thing('1', '3')), 'also by one that is newer than either');

  const gone = await read(shelf(), ['1', '4']);
  t.same(gone.found, new Map([['1', null]]), 'or by nothing, when the row went away');
  t.match((await read(shelf(), '1')).counts, { negative: 1 });
  t.match((await read(shelf(thing('1', '5')), ['1', '5'])).counts, { negative: 0, stale: 1, misses: 1 });
});

t.test('without a heartbeat', async (t) => {
  await read(shelf(thing('1')), '1');
  await keys.del(HEARTBEAT);
  const load = shelf(thing('1', '2'));
  for (let i = 0; i < 2; i += 1) {
    const { found, counts } = await read(load, '1', '2');
    t.same(found.get('1'), thing('1', '2'), 'reads by id go to Postgres');
    t.match(counts, { bypassed: 2, misses: 2, hits: 0, stale: 0, fills: 0 });
  }
  t.ok(await holds('1', '1'), 'and leave what is cached as it is');
  t.equal(await keys.exists(key('2')), 0);
  t.match((await read(shelf(), ['1', '1'])).counts, { hits: 1, bypassed: 0 }, 'through a list it is used');
  t.match((await read(load, ['1', '2'])).counts, { misses: 1, fills: 1, bypassed: 0 }, 'or replaced');
  await beat(tier, 60_000);
  t.match((await read(load, '1')).counts, { misses: 1, stale: 1 }, 'but nobody vouched for it when it was read');
  t.match((await read(load, '1')).counts, { hits: 1 });
});

t.test('a body of another run of Redis', async (t) => {
  await read(shelf(thing('1')), '1', '2');
  await keys.set(HEARTBEAT, 'another run', 'PX', 60_000);
  t.match((await read(shelf(), ['1', '1'])).counts, { hits: 1 }, 'is used through a list that names its version');
  const { found, counts } = await read(shelf(thing('1', '2'), thing('2')), '1', '2');
  t.same(found, bodiesOf(thing('1', '2'), thing('2')), 'by id it is not, and neither is a negative');
  t.match(counts, { misses: 2, stale: 2, hits: 0, negative: 0 });
  t.match((await read(shelf(), '1', '2')).counts, { hits: 2 }, 'and both are replaced');
});

t.test('heartbeats', async (t) => {
  t.test('vouch for as long as they say', async (t) => {
    const started = performance.now();
    await beat(tier, 5000);
    const left = await keys.pttl(HEARTBEAT);
    const passed = performance.now() - started;
    // Each of the times on the way is rounded to milliseconds.
    t.ok(left > 5000 - passed - 5 && left <= 5000, `${left} ms after ${passed} ms`);
    await beat(tier, 200);
    t.ok((await keys.pttl(HEARTBEAT)) <= 200, 'the last one counts');
  });

  t.test('name the process, its history and the generation of the domain', async (t) => {
    const info = await keys.info();
    const [, run] = /run_id:(\w+)/.exec(info) ?? [];
    const [, history] = /master_replid:(\w+)/.exec(info) ?? [];
    t.equal(await keys.get(HEARTBEAT), `${run}${history}-1`);
  });
});

t.test('what no lease was asked for is not written', async (t) => {
  t.equal(await tier.fill([{ key: key('1'), value: 'x', ttlMs: 1000 }], '~mine', new Trace()), 0);
  t.equal(await keys.exists(key('1')), 0);
});
