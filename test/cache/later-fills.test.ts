import { t } from 'tap';
import { keyWriter } from '../../src/cache/cache-key.ts';
import { LEASE_MARK } from '../../src/cache/entry.ts';
import { Lacks } from '../../src/cache/lacks.ts';
import { LaterFills } from '../../src/cache/later-fills.ts';
import { until } from '../support/until.ts';
import { key, openRedisCache, shelf, thing } from './support/redis-cache.ts';

const SPACE = { entity: 'Thing', shape: 'abc' };
const { cache, keys, tier, read, holds } = await openRedisCache(t);

const brought = (...ids: string[]) => ids.map((id) => ({ id, body: thing(id) }));
const filled = (id: string) => until('it is filled', () => holds(id, '1'));

t.test('what a list brought along answers for lists, and for nobody by id', async (t) => {
  cache.keepForLists(SPACE, brought('1', '2'), 2);
  await filled('1');
  const load = shelf(thing('1', '3'), thing('2', '3'));
  t.match((await read(load, ['1', '1'], ['2', '1'])).counts, { hits: 2, misses: 0 });
  t.match((await read(load, ['1', '2'])).counts, { hits: 0, stale: 1, misses: 1 }, 'another version is another body');
  t.match(await read(load, '2'), { found: new Map([['2', thing('2', '3')]]), counts: { stale: 1, misses: 1 } });
  t.match((await read(load, '2')).counts, { hits: 1 }, 'what was read by id is in its place');
  t.ok((await keys.pttl(key('2'))) > 0);
});

t.test('it takes the place of nothing', async (t) => {
  await read(shelf(thing('1', '2')), '1');
  await keys.set(key('2'), `${LEASE_MARK}somebody`);
  await keys.hset(key('3'), 'a', 'hash');
  cache.keepForLists(SPACE, brought('1', '2', '3', '4'), 4);
  await filled('4');
  t.ok(await holds('1', '2'), 'neither of a body');
  t.equal(await keys.get(key('2')), `${LEASE_MARK}somebody`, 'nor of a lease');
  t.same(await keys.hgetall(key('3')), { a: 'hash' }, 'nor of what is not ours');
});

t.test('what Redis has after all is not lacked', async () => {
  const lacks = new Lacks();
  const fills = new LaterFills(tier, keyWriter('test:'), 60_000, lacks, () => true);
  for (let i = 0; i < 3; i += 1) {
    await keys.flushall();
    fills.add(SPACE, brought('1'), 1);
    await filled('1');
  }
  await until('it is told that it was lacked', async () => lacks.expected('Thing'));
  await until('that it was not', async () => {
    fills.add(SPACE, brought('1'), 1);
    return !lacks.expected('Thing');
  });
});

t.test('what is too much is not put into Redis', async (t) => {
  const lacks = new Lacks();
  const fills = new LaterFills(tier, keyWriter('test:'), 60_000, lacks, () => true);
  const many = (from: number) => brought(...Array.from({ length: 600 }, (_, i) => String(from + i)));
  for (let i = 1; i <= 4; i += 1) fills.add(SPACE, many(i * 1000), 600);
  t.ok(lacks.expected('Thing'), 'of three it is known at once that they were lacked');
  await filled('1599');
  t.equal(await keys.exists(key('2000'), key('4599')), 0);
  fills.add(SPACE, many(5000), 600);
  await filled('5599');
});

t.test('what is let go while it is sent is not put into Redis', async (t) => {
  const told: string[] = [];
  class Said extends Lacks {
    override told(entity: string, wanted: number, lacked: number) {
      told.push(entity);
      super.told(entity, wanted, lacked);
    }
  }
  const lacks = new Said();
  let parts = 0;
  const fills: LaterFills = new LaterFills(tier, keyWriter('test:'), 60_000, lacks, () => {
    parts += 1;
    if (parts === 2) fills.clear();
    return true;
  });
  fills.add(SPACE, brought(...Array.from({ length: 150 }, (_, i) => String(1 + i))), 150);
  fills.add({ ...SPACE, entity: 'Other' }, brought('1'), 1);
  await until('it is let go', () => parts >= 2);
  fills.add(SPACE, brought('9000'), 1);
  await filled('9000');
  t.ok(await holds('100', '1'), 'what was sent before is there');
  t.equal(await keys.exists(key('101'), key('150'), 'test:Other-1'), 0);
  t.same(told, [SPACE.entity], 'and it says nothing of what Redis has');
});

t.test('a Redis that refuses is not told of twice, and nobody waits', async (t) => {
  await keys.config('SET', 'maxmemory', '1');
  t.teardown(() => keys.config('SET', 'maxmemory', '0'));
  const lacks = new Lacks();
  const fills = new LaterFills(tier, keyWriter('test:'), 60_000, lacks, () => true);
  fills.add(SPACE, brought('1'), 1);
  t.equal(await tier.add([{ key: key('1'), value: '{}', ttlMs: 1000 }]), 0);
  t.equal(await keys.exists(key('1')), 0);
  t.notOk(tier.breakerOpen);
});
