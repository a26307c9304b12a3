import { setTimeout as sleep } from 'node:timers/promises';
import { t } from 'tap';
import type { Loader } from '../../../src/cache/read-through.ts';
import { LEASE_MS } from '../../../src/cache/redis/lease.ts';
import { beat, bodiesOf, HEARTBEAT, key, openRedisCache, shelf, thing } from '../support/redis-cache.ts';

const { keys, tier, cache, read, holds } = await openRedisCache(t);

t.test('the lease', async (t) => {
  t.test('that another reader has keeps this one from filling', async (t) => {
    await keys.set(key('1'), '~of another', 'PX', 5000);
    const { found, counts } = await read(shelf(thing('1')), '1');
    t.same(found, bodiesOf(thing('1')), 'but not from answering');
    t.match(counts, { leased: 1, misses: 1, fills: 0 });
    t.equal(await keys.get(key('1')), '~of another', 'nor does it take the lease away');
  });

  t.test('is waited for a little, since the other reader may be done', async (t) => {
    await keys.set(key('1'), '~of another', 'PX', 5000);
    const load = shelf();
    const epoch = (await keys.get(HEARTBEAT)) ?? '';
    const reading = read(load, '1');
    const body = JSON.stringify({ shape: 'abc', id: '1', epoch, ...thing('1') });
    const filled = keys.set(key('1'), body);
    t.match((await reading).counts, { hits: 1, misses: 0 });
    t.same(load.asked, [], 'nobody asks Postgres');
    await filled;
  });

  t.test('is ended by an invalidation, and then nothing is filled', async (t) => {
    for (const want of ['1', ['1', '1']] as const) {
      await keys.flushall();
      await beat(tier, 60_000);
      const load: Loader = async () => {
        t.match(await keys.get(key('1')), /^~/, 'leased before the SELECT');
        await cache.invalidate([{ entity: 'Thing', id: '1' }], false);
        // Nobody listens: the tier alone is told.
        await tier.invalidate([key('1')], 'nobody', '', 'nobody');
        return bodiesOf(thing('1'));
      };
      const { found, counts } = await read(load, want);
      t.same(found, bodiesOf(thing('1')), 'who asked before it is answered');
      t.equal(counts.fills, 0);
      t.equal(await keys.exists(key('1')), 0);
    }
  });

  t.test('of another reader after an invalidation is not taken for ours', async (t) => {
    const load: Loader = async () => {
      await tier.invalidate([key('1')], 'nobody', '', 'nobody');
      await keys.set(key('1'), '~of another', 'PX', 5000);
      return bodiesOf(thing('1'));
    };
    await read(load, '1');
    t.equal(await keys.get(key('1')), '~of another');
  });

  t.test('that has expired is worth nothing', async (t) => {
    const load: Loader = async () => {
      t.ok((await keys.pttl(key('1'))) <= 3000, 'it would have, within three seconds');
      await keys.pexpire(key('1'), 1);
      await sleep(5);
      return bodiesOf(thing('1'));
    };
    t.match((await read(load, '1')).counts, { misses: 1, fills: 0 });
    t.equal(await keys.exists(key('1')), 0);
  });

  t.test('of some keys fills these and no others', async (t) => {
    await keys.set(key('2'), '~of another', 'PX', 5000);
    const { counts } = await read(shelf(thing('1'), thing('2'), thing('3')), '1', '2', '3');
    t.match(counts, { misses: 3, fills: 2 });
    t.ok((await holds('1', '1')) && (await holds('3', '1')));
    t.equal(await keys.get(key('2')), '~of another');
  });

  t.test('is freed by a reader whose SELECT fails', async (t) => {
    await keys.set(key('2'), '~of another', 'PX', 5000);
    const load: Loader = async () => {
      throw new Error('Postgres is away');
    };
    await t.rejects(read(load, '1', '2'), { message: 'Postgres is away' });
    t.match((await read(shelf(thing('1')), '1')).counts, { leased: 0, misses: 1, fills: 1 }, 'who comes next fills');
    t.equal(await keys.get(key('2')), '~of another', "another one's is not ours to free");
  });

  t.test('of more keys than Lua may name in one command fills them all', async (t) => {
    const things = Array.from({ length: 12_000 }, (_, i) => thing(`${i}`));
    const ids = things.map((_, i) => `${i}`);
    let asked = 0;
    const load: Loader = async (lacking) => {
      asked = lacking.length;
      return bodiesOf(...things);
    };
    const turn = async () => {
      await keys.flushall();
      await beat(tier, 60_000);
      const started = performance.now();
      await read(shelf(thing('0'), thing('11999')), '0', '11999');
      // Once misses are expected, the read itself leases.
      for (const absent of ['a', 'b', 'c']) await read(shelf(), absent);
      return { ...(await read(load, ...ids)), ms: performance.now() - started };
    };
    let last = await turn();
    // From the beginning on a machine so busy that a lease may have run out before the bodies were there.
    for (let again = 0; last.ms >= LEASE_MS && again < 20; again += 1) last = await turn();
    t.equal(asked, 11_998);
    t.equal(last.found.size, ids.length);
    t.match(last.counts, { hits: 2, leases: 11_998, fills: 11_998, unreachable: 0 });
    t.ok((await holds('4999', '1')) && (await holds('5000', '1')));
  });
});
