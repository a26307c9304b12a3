import { setTimeout as sleep } from 'node:timers/promises';
import { t } from 'tap';
import { type CacheCounts, noCounts } from '../../src/trace/cache-counts.ts';
import { WHOLE_PAGE } from '../stage/pages.ts';
import { DEFAULTS, type LarderProcess } from '../stage/process.ts';
import { Holds } from '../stage/seams.ts';
import { settle, warm } from '../stage/stage.ts';
import { until } from '../support/until.ts';
import {
  ARRANGEMENTS,
  bodyReads,
  fewestBodyReads,
  ON_CLUSTER,
  openReady,
  requested,
  stageFor,
} from './support/arrangements.ts';

const one = { entity: 'Campaign', id: '1' } as const;
const absent = { entity: 'Campaign', id: '77' } as const;

const byId = (process: LarderProcess, id = '1') =>
  requested((scope) => process.repositories.Campaign.findById(id, scope));

const list = (process: LarderProcess) =>
  requested(async (scope) => (await process.repositories.Campaign.list('all', [WHOLE_PAGE], scope))[0]?.items ?? []);

for (const arrangement of [...ARRANGEMENTS, ...ON_CLUSTER]) {
  const { memory, redis, name } = arrangement;

  t.test(name, async (t) => {
    const stage = await stageFor(t, arrangement);
    const { history } = stage;
    history.declare('Campaign-77', null);
    const larder = await openReady(stage, arrangement);
    /** Everything that is cached is forgotten everywhere. */
    const forgetAll = () =>
      larder.cache.invalidate(
        Array.from({ length: 100 }, (_, i) => ({ entity: 'Campaign', id: String(1 + i) })),
        true,
      );

    // Again where a machine stood still for as long as memory is trusted: that may happen at any time, but not each time.
    await t.test('what was read once is not read again', async (t) => {
      await until('it is read once', async () => {
        await forgetAll();
        const answers: Awaited<ReturnType<typeof byId>>[] = [];
        const reads = await bodyReads(stage, async () => {
          for (let i = 0; i < 2; i += 1) answers.push(await byId(larder));
        });
        for (const { answer } of answers) {
          t.match(answer, { id: '1', title: history.newest('Campaign-1') });
          t.ok(Object.isFrozen(answer), 'nobody can change what others are given');
        }
        const [cold, warm] = answers.map(({ counts }) => counts);
        t.equal(cold?.misses, 1);
        return reads === 1 && warm?.hits === 1 && warm.memoryHits === (memory ? 1 : 0);
      });
    });

    await t.test('what is missing among many is read with one statement', async (t) => {
      await until('the others are read together', async () => {
        await forgetAll();
        await byId(larder, '3');
        let found: CacheCounts = noCounts();
        const reads = await bodyReads(stage, async () => {
          const { counts, answer } = await requested((scope) =>
            larder.repositories.Campaign.findByIds(['1', '2', '3', '2', '77', 'not an id'], scope),
          );
          found = counts;
          t.same(
            answer.map((campaign) => campaign?.id ?? null),
            ['1', '2', '3', '2', null, null],
          );
        });
        t.equal(reads, 1);
        return found.hits === 1 && found.misses === 3;
      });
    });

    await t.test('an id that does not exist reaches Postgres once', async (t) => {
      await until('it is known', async () => {
        await forgetAll();
        const reads = await bodyReads(stage, async () => {
          for (let i = 0; i < 5; i += 1) t.equal((await byId(larder, '77')).answer, null);
        });
        const { negative, misses } = (await byId(larder, '77')).counts;
        return reads === 1 && negative === 1 && misses === 0;
      });
    });

    await t.test('and is found at once when it is created', async (t) => {
      await stage.byId(larder, 'Campaign', ['77']);
      await stage.write(larder, { row: absent });
      await stage.byId(larder, 'Campaign', ['77']);
      t.match((await byId(larder, '77')).answer, { id: '77' });
    });

    await t.test('what is deleted is gone at once, and back at once', async (t) => {
      for (const gone of [true, false, true]) {
        await stage.write(larder, { row: absent, delete: gone });
        for (let i = 0; i < 2; i += 1) {
          await stage.byId(larder, 'Campaign', ['77']);
          await stage.list(larder, 'Campaign');
        }
      }
      t.equal((await byId(larder, '77')).answer, null);
    });

    await t.test('what psql writes is found in lists at once, and by id when it is drained', async () => {
      for (let i = 0; i < 5; i += 1) {
        await stage.write('psql', { row: one });
        await stage.list(larder, 'Campaign');
        await stage.byId(larder, 'Campaign', ['1']);
      }
      await settle(stage);
      await stage.byId(larder, 'Campaign', ['1']);
    });

    await t.test('200 who ask for one cold id at once cost one SELECT', async (t) => {
      const reads = await fewestBodyReads(stage, 1, async () => {
        await forgetAll();
        await Promise.all(Array.from({ length: 200 }, () => byId(larder)));
      });
      t.equal(reads, 1);
    });

    await t.test('in two processes, one SELECT each', async (t) => {
      const other = await openReady(stage, arrangement);
      const reads = await fewestBodyReads(stage, 2, async () => {
        await forgetAll();
        // Without Redis, another process is told nothing.
        if (!redis) await sleep(DEFAULTS.memoryTtlMs);
        await Promise.all([larder, other].flatMap((process) => Array.from({ length: 200 }, () => byId(process))));
      });
      if (redis) t.ok(reads === 1 || reads === 2, `at most, since Redis may have it by then: ${reads}`);
      else t.equal(reads, 2);
      await other.close();
    });

    await t.test('a list that named a version waits for no other', async (t) => {
      const holds = new Holds();
      const held = await openReady(stage, arrangement, { seam: holds.seam });
      await forgetAll();
      if (!redis) await sleep(DEFAULTS.memoryTtlMs);
      const answered = holds.next('SELECT answered');
      const early = stage.byId(held, 'Campaign', ['1']);
      await answered.reached();
      await stage.write('psql', { row: one });
      const late = stage.list(held, 'Campaign');
      await sleep(20);
      answered.release();
      await Promise.all([early, late]);
      t.same(history.violations, []);
      await held.close();
    });

    await t.test('of two versions that one request names, the row has the last word', async (t) => {
      await forgetAll();
      const named = (await list(larder)).answer;
      const refs = async () => {
        const [row] = await stage.sql<{ version: string }[]>`select xmin::text as version from campaigns where id = 1`;
        return { id: '1', version: row?.version ?? '' };
      };
      const before = await refs();
      await stage.write('psql', { row: one });
      const after = await refs();
      t.not(before.version, after.version);
      for (const pair of [
        [before, after],
        [after, before],
      ]) {
        const { answer } = await requested((scope) => larder.repositories.Campaign.findByRefs(pair, scope));
        t.same(
          answer.map((campaign) => campaign?.title),
          [history.newest('Campaign-1'), history.newest('Campaign-1')],
        );
      }
      t.ok(named.length >= 8);
    });

    await t.test('with nobody told of anything, lists are right all the same', async (t) => {
      await settle(stage);
      await stage.sql`alter table campaigns disable trigger user`;
      await stage.list(larder, 'Campaign');
      for (let i = 0; i < 10; i += 1) {
        await stage.write('psql', { row: one });
        const changed = await list(larder);
        t.match(changed.counts, { misses: 1, stale: redis ? 1 : 0 }, 'the body of before is not used');
        t.equal(changed.answer.find(({ id }) => id === '1')?.entity?.title, history.newest('Campaign-1'));
        t.match((await list(larder)).counts, { misses: 0 }, 'and replaced');
        await stage.list(larder, 'Campaign');
      }
      await stage.write('psql', { row: one, delete: true });
      await stage.list(larder, 'Campaign');
      await stage.write('psql', { row: one });
      await stage.list(larder, 'Campaign');
      await stage.sql`alter table campaigns enable trigger user`;
      await stage.write('psql', { row: one });
      await settle(stage);
    });

    if (memory) {
      await t.test('memory forgets what was used least when it is full', async () => {
        const small = await openReady(stage, arrangement, { memoryMaxEntries: 3 });
        const inMemory = async (id: string) => (await byId(small, id)).counts.memoryHits === 1;
        // Again when an echo is late, or is the first, before which nothing is trusted for longer.
        await until('2, which was used least, is gone, and 1 is not', async () => {
          for (const id of ['1', '2', '3']) await byId(small, id);
          if (!(await inMemory('1'))) return false;
          await byId(small, '4');
          return (await inMemory('1')) && !(await inMemory('2'));
        });
        await small.close();
      });

      await t.test('memory answers by id while it hears of changes and for its time, but lists for ever', async (t) => {
        // Long enough for an echo, four of which come in a second, to be late.
        const memoryTtlMs = 1000;
        const calm = await openReady(stage, arrangement, { memoryTtlMs });
        // What was read before the first of them is not trusted for longer.
        await sleep(memoryTtlMs);
        await until('it is in memory', async () => (await byId(calm, '5')).counts.memoryHits === 1);
        await sleep(2 * memoryTtlMs);
        // Where an echo was late it is read once more, and is then as old as it takes.
        if (!redis) t.match((await byId(calm, '5')).counts, { memoryHits: 0 });
        else {
          await until('it has been in memory for so long', async () => {
            const { counts } = await byId(calm, '5');
            if (counts.memoryHits === 1) return true;
            await sleep(2 * memoryTtlMs);
            return false;
          });
        }
        await calm.stopDraining();
        await sleep(memoryTtlMs);
        t.match((await byId(calm, '5')).counts, { memoryHits: 0 });
        await calm.close();
        const brief = await openReady(stage, arrangement, { memoryTtlMs, ttlMs: 500 });
        await until('it is in memory', async () => (await byId(brief, '5')).counts.memoryHits === 1);
        await sleep(600);
        t.match((await byId(brief, '5')).counts, { memoryHits: 0 }, 'nor longer than anything is cached');
        await brief.close();
        await list(larder);
        await sleep(DEFAULTS.memoryTtlMs);
        t.match((await list(larder)).counts, { misses: 0, memoryHits: (await list(larder)).answer.length });
      });
    }

    if (redis) {
      await t.test('another process finds what this one has read', async (t) => {
        await forgetAll();
        const other = await openReady(stage, arrangement);
        await warm(stage, larder, { entity: 'Campaign', id: '1' });
        t.match((await byId(other)).counts, { hits: 1, misses: 0 });
        await byId(larder, '78');
        t.match((await byId(other, '78')).counts, { negative: 1, misses: 0 }, 'also that there is nothing');
        await other.close();
      });
    }

    t.same(history.violations, [], 'no read broke the contract');
  });
}
