import { t } from 'tap';
import { bodyReader } from '../../src/bodies/body-reader.ts';
import { createScope, identityMap } from '../../src/bodies/scope.ts';
import { Trace } from '../../src/trace/trace.ts';
import { key, openRedisCache, shelf, thing } from '../cache/support/redis-cache.ts';
import { until } from '../support/until.ts';

const SPACE = { entity: 'Thing', shape: 'abc' };
const { cache, holds, keys } = await openRedisCache(t);

t.test('a list that was read before a write of the same request does not take its place', async (t) => {
  for (const [written, now] of [
    [thing('1', '2'), thing('1', '2')],
    [null, undefined],
  ] as const) {
    const load = shelf(...(now === undefined ? [] : [now]));
    const read = bodyReader(SPACE, cache, { load, loadShared: load, isCurrent: () => true });
    const scope = createScope(new Trace());
    identityMap(scope, 'Thing').set('1', written);
    await read([{ id: '1', version: '1', body: thing('1', '1') }], scope, undefined, 'abc');
    t.same(identityMap(scope, 'Thing').get('1'), written);
  }
});

t.test('what a list brought along that was asked before all was forgotten is kept for nobody', async (t) => {
  const load = shelf();
  const read = bodyReader(SPACE, cache, { load, loadShared: load, isCurrent: () => true });
  const bring = (id: string, since: number) =>
    read([{ id, version: '1', body: thing(id) }], createScope(new Trace()), since, 'abc');
  const asked = cache.clock.now();
  cache.forgetAll();
  t.same(await bring('1', asked), [thing('1')], 'who asked gets it');
  await until('time passes', () => cache.clock.now() > asked + 1);
  await bring('2', cache.clock.now());
  await until('what comes later is kept', () => holds('2', '1'));
  t.equal(await keys.exists(key('1')), 0);
});
