import { t } from 'tap';
import { encodeEntry } from '../../src/cache/entry.ts';
import { openCache } from '../../src/cache/open-cache.ts';
import type { Loader } from '../../src/cache/read-through.ts';
import { Trace } from '../../src/trace/trace.ts';
import { freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
import { standingClock } from '../support/standing-clock.ts';
import { openRedis } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { shelf, thing } from './support/redis-cache.ts';

const SPACE = { entity: 'Thing', shape: 'abc' };

t.test('what a list finds in Redis that nobody certifies there answers nobody by id', async (t) => {
  const redis = await freshRedis(t);
  const keys = openRedis(t, redis);
  const clock = standingClock();
  const settings = {
    redisUrl: redis.url,
    redisTimeoutMs: REDIS_PATIENCE_MS,
    prefix: '',
    ttlMs: 300_000,
    memoryTtlMs: 1000,
    memoryMaxEntries: 100,
  };
  const { cache, redis: tier, close } = openCache(settings, (error) => t.fail(error.message), clock);
  t.teardown(close);
  t.ok(await tier?.connected(REDIS_PATIENCE_MS));
  const { run = '' } = (await tier?.meet()) ?? {};
  const share = { run, generation: '1', mark: 'domain', previousMark: 'domain' };
  // The first echo ends the trust in what was read before it.
  let echoes = 0;
  const heard = cache.heard.bind(cache);
  cache.heard = (echo) => {
    echoes += 1;
    heard(echo);
  };
  let epoch = '';
  await until('an echo has come back', async () => {
    epoch = (await cache.vouch(share, 600_000, clock.now())).epoch ?? '';
    return echoes > 0;
  });
  for (const [id, certified] of [
    ['1', `${run}0`],
    ['2', epoch],
  ] as const) {
    await keys.set(`Thing-${id}`, encodeEntry({ body: thing(id, '1'), epoch: certified }, id, SPACE));
  }
  const read = async (load: Loader, version: string | null) => {
    const trace = new Trace();
    const wants = ['1', '2'].map((id) => ({ id, version }));
    const found = await cache.read(SPACE, wants, load, trace);
    return { found, counts: trace.entity('Thing') };
  };
  t.match(await read(shelf(), '1'), {
    found: new Map([
      ['1', { version: '1' }],
      ['2', { version: '1' }],
    ]),
    counts: { hits: 2, memoryHits: 0 },
  });
  const byId = await read(shelf(thing('1', '2'), thing('2', '2')), null);
  t.match(byId.found.get('1'), thing('1', '2'), 'what another generation certified is read again');
  t.match(byId.found.get('2'), thing('2', '1'), 'what this one certifies is in memory');
  t.match(byId.counts, { memoryHits: 1, stale: 1, misses: 1 });
});
