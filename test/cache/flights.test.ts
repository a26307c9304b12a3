import { t } from 'tap';
import type { Body } from '../../src/cache/entry.ts';
import { Trace } from '../../src/trace/trace.ts';
import { bareCache } from './support/bare-cache.ts';

const SPACE = { entity: 'Thing', shape: '' };
const READERS = 200;

/** Lets what can go on do so. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A cache without any tier, so that only who reads together shares, and a loader that answers when it is told to. */
function held() {
  const cache = bareCache();
  const asked: string[][] = [];
  const answers: ((bodies: Map<string, Body>) => void)[] = [];
  const load = (ids: string[]) => {
    asked.push(ids);
    return new Promise<Map<string, Body>>((resolve) => {
      answers.push(resolve);
    });
  };
  const read = (version: string | null = null) => cache.read(SPACE, [{ id: '1', version }], load, new Trace());
  /** Answers a loading. */
  const answer = (loading: number, version: string) => answers[loading]?.(new Map([['1', body(version)]]));
  return { cache, asked, read, answer };
}

const body = (version: string): Body => ({ version, entity: { id: '1', version } });

t.test('two hundred who ask for the same meanwhile wait for one loading', async (t) => {
  const { asked, read, answer } = held();
  const reads = Array.from({ length: READERS }, (_, i) => read(i % 2 === 0 ? null : '1'));
  await settle();
  t.same(asked, [['1']]);
  answer(0, '1');
  for (const found of await Promise.all(reads)) t.same(found.get('1'), body('1'));
  const later = read();
  await settle();
  t.equal(asked.length, 2, 'what is over is not joined');
  answer(1, '2');
  t.same((await later).get('1'), body('2'));
});

t.test('who asks after an invalidation does not join what began before it', async (t) => {
  const { cache, asked, read, answer } = held();
  const before = read();
  await settle();
  cache.forget(['Thing-1']);
  const after = read();
  await settle();
  t.equal(asked.length, 2);
  const joined = read();
  await settle();
  t.equal(asked.length, 2, 'but what began after it');
  answer(0, '1');
  t.same((await before).get('1'), body('1'));
  answer(1, '2');
  for (const read of [after, joined]) t.same((await read).get('1'), body('2'));
});

t.test('who was named another version than a loading brings reads again', async (t) => {
  const { asked, read, answer } = held();
  const first = read('1');
  const other = read('2');
  await settle();
  t.equal(asked.length, 1);
  answer(0, '1');
  t.same((await first).get('1'), body('1'));
  const pending = other.then((found) => found.get('1'));
  await settle();
  t.equal(asked.length, 2);
  answer(1, '2');
  t.same(await pending, body('2'));
});

t.test('a loading that fails fails all who wait for it, and nobody after', async (t) => {
  const { cache } = held();
  const failing = async () => {
    throw new Error('no');
  };
  const want = [{ id: '1', version: null }];
  const reads = Array.from({ length: 3 }, () => cache.read(SPACE, want, failing, new Trace()));
  for (const read of reads) await t.rejects(read, { message: 'no' });
  const found = await cache.read(SPACE, want, async () => new Map([['1', body('1')]]), new Trace());
  t.same(found.get('1'), body('1'));
});
