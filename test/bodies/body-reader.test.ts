import { t } from 'tap';
import { bodyReader } from '../../src/bodies/body-reader.ts';
import { createScope, identityMap } from '../../src/bodies/scope.ts';
import { Trace } from '../../src/trace/trace.ts';
import { openRedisCache, shelf, thing } from '../cache/support/redis-cache.ts';

const SPACE = { entity: 'Thing', shape: 'abc' };
const { cache } = await openRedisCache(t);

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
