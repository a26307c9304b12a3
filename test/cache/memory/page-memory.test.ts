import { t } from 'tap';
import type { Body } from '../../../src/cache/entry.ts';
import { PageMemory } from '../../../src/cache/memory/page-memory.ts';

const SPACE = { entity: 'Campaign', shape: '' };
const page = (text: string): Body[] => [{ version: '1', entity: Object.freeze({ id: '1', text }) }];
const never = () => t.fail('it was kept');

t.test('what is written of a page is kept with it, and counts', async (t) => {
  const pages = new PageMemory({ entries: 1000, bytes: 1_000_000 });
  pages.set(SPACE, '>1', page('a'.repeat(10_000)));
  const before = pages.use().bytes;
  const titles = {};
  const texts = pages.get(SPACE, '>1')?.texts;
  const pieces = [Buffer.from('b'.repeat(4000)), 'short'];
  t.equal(
    texts?.of(titles, () => pieces),
    pieces,
  );
  t.ok(pages.use().bytes >= before + 4005, `${pages.use().bytes} bytes`);
  t.equal(pages.get(SPACE, '>1')?.texts.of(titles, never as never), pieces, 'the same selection is not written again');
  t.equal(pages.use().entries, 1, 'the page counts once');
});

t.test('texts of a page take no more than its bodies', async (t) => {
  const pages = new PageMemory({ entries: 1000, bytes: 1_000_000 });
  pages.set(SPACE, '>1', page('a'.repeat(10_000)));
  const before = pages.use().bytes;
  const texts = pages.get(SPACE, '>1')?.texts;
  for (let i = 0; i < 20; i += 1) texts?.of({}, () => ['b'.repeat(4000)]);
  t.ok(pages.use().bytes <= 2 * before, `${pages.use().bytes} bytes for 20 selections`);
  const use = pages.use().bytes;
  const aliases = {};
  let written = 0;
  const large = () => {
    written += 1;
    return ['c'.repeat(20_000)];
  };
  for (let i = 0; i < 2; i += 1) t.equal(texts?.of(aliases, large)[0]?.length, 20_000);
  t.equal(written, 2, 'one that is larger is written each time');
  t.equal(pages.use().bytes, use);
});

t.test('texts push out pages that were not used for long, and go with theirs', async (t) => {
  const pages = new PageMemory({ entries: 1000, bytes: 100_000 });
  for (let i = 0; i < 9; i += 1) pages.set(SPACE, `>${i}`, page('a'.repeat(10_000)));
  const texts = pages.get(SPACE, '>8')?.texts;
  const selection = {};
  texts?.of(selection, () => ['b'.repeat(9000)]);
  t.ok(pages.use().bytes <= 100_000, `${pages.use().bytes} bytes`);
  t.notOk(pages.get(SPACE, '>0'), 'the first page made room');
  t.ok(pages.get(SPACE, '>8'));
  pages.clear();
  texts?.of({}, () => ['late']);
  t.same(pages.use(), { entries: 0, bytes: 0 }, 'what is written of a page that is gone counts nowhere');

  const tight = new PageMemory({ entries: 1000, bytes: 15_000 });
  tight.set(SPACE, '>1', page('a'.repeat(10_000)));
  tight.get(SPACE, '>1')?.texts.of(selection, () => ['b'.repeat(9000)]);
  t.ok(tight.get(SPACE, '>1'), 'a page is not pushed out by its own texts');
  t.ok(tight.use().bytes <= 15_000);
});
