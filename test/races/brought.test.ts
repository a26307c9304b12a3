import { t } from 'tap';
import { createScope } from '../../src/bodies/scope.ts';
import { Trace } from '../../src/trace/trace.ts';
import { ARRANGEMENTS, bodyReads, openReady, requested } from '../cache/support/arrangements.ts';
import { WHOLE_PAGE } from '../stage/pages.ts';
import type { LarderProcess } from '../stage/process.ts';
import { type Stage, setStage, settle } from '../stage/stage.ts';
import { until } from '../support/until.ts';

const list = (process: LarderProcess) =>
  requested(async (scope) => (await process.repositories.Campaign.list('all', [WHOLE_PAGE], scope))[0]?.items ?? []);

const CAMPAIGNS = 8;

/** So long that what was read by id is believed on a slow machine, too. */
const LONG = { memoryTtlMs: 30_000, maxStalenessMs: 60_000 };

/** Nothing is cached anywhere, neither by itself nor in a page. */
async function forgetAll(stage: Stage, process: LarderProcess): Promise<void> {
  process.cache.forgetAll();
  const keys = await stage.keys.keys('Campaign-*');
  if (keys.length > 0) await stage.keys.unlink(keys);
}

/** Lists what no cache has, until lists bring bodies along. */
async function coldLists(stage: Stage, process: LarderProcess): Promise<void> {
  for (let i = 0; i < 3; i += 1) {
    await forgetAll(stage, process);
    await list(process);
  }
  await forgetAll(stage, process);
}

for (const arrangement of ARRANGEMENTS) {
  t.test(`lists bring bodies along that caches were seen to lack: ${arrangement.name}`, async (t) => {
    const stage = await setStage(t, LONG);
    const larder = await openReady(stage, arrangement, LONG);
    t.notOk(larder.cache.lacks({ entity: 'Campaign', shape: '' }), 'nothing is expected at first');
    await coldLists(stage, larder);

    const reads = await bodyReads(stage, async () => {
      const { answer, counts } = await list(larder);
      t.match(counts, { misses: CAMPAIGNS, hits: 0, leases: 0 }, 'without asking Redis');
      for (const { id, entity } of answer) t.equal(entity?.title, stage.history.newest(`Campaign-${id}`));
      t.equal(answer.length, CAMPAIGNS);
    });
    t.equal(reads, 0, 'and without a statement of their own');

    if (arrangement.redis) {
      await until('Redis has them', async () => (await stage.keys.exists('Campaign-1', 'Campaign-8')) === 2);
      const other = await openReady(stage, arrangement, LONG);
      t.match((await list(other)).counts, { hits: CAMPAIGNS, misses: 0 }, 'lists of other processes find them there');
      const there = await requested((scope) => other.repositories.Campaign.findById('8', scope));
      t.match(there.counts, { misses: 1, hits: 0 }, 'where nobody believes them by id, either, in Redis or in memory');
    }
    if (arrangement.memory) t.match((await list(larder)).counts, { memoryHits: CAMPAIGNS, misses: 0 }, 'and here');

    const first = await requested((scope) => larder.repositories.Campaign.findById('1', scope));
    t.match(first.counts, { misses: 1, hits: 0 }, 'by id nobody believes them');
    const again = await requested((scope) => larder.repositories.Campaign.findById('1', scope));
    t.match(again.counts, { misses: 0, hits: 1 }, 'what was read by id is believed');

    await until('caches have enough again', async () => {
      await list(larder);
      return !larder.cache.lacks({ entity: 'Campaign', shape: '' });
    });
    await stage.write('psql', { row: { entity: 'Campaign', id: '1' } });
    await stage.list(larder, 'Campaign');
    await settle(stage);
    await stage.byId(larder, 'Campaign', ['1']);
    t.same(stage.history.violations, []);
  });
}

t.test('what is read past the caches, or for who looks at a request, is not brought along', async (t) => {
  const stage = await setStage(t);
  const larder = await openReady(stage, { name: 'both', memory: true, redis: true, options: {} });
  await coldLists(stage, larder);
  const scope = { ...larder.scope(), cold: true };
  const reads = await bodyReads(stage, () => larder.repositories.Campaign.list('all', [WHOLE_PAGE], scope));
  t.equal(reads, 1);
  t.equal(await stage.keys.exists('Campaign-1'), 0, 'and left nowhere');
  const watched = new Trace({ ownStatements: true });
  await larder.repositories.Campaign.list('all', [WHOLE_PAGE], createScope(watched));
  t.match(watched.cache.Campaign, { misses: CAMPAIGNS, leases: CAMPAIGNS, fills: CAMPAIGNS });
});
