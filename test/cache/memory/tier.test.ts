import { getTableColumns } from 'drizzle-orm';
import { customType, pgTable } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import type { Body } from '../../../src/cache/entry.ts';
import { PageMemory } from '../../../src/cache/memory/page-memory.ts';
import { bytesOf } from '../../../src/cache/memory/size.ts';
import { MemoryTier } from '../../../src/cache/memory/tier.ts';
import { bodyCodec } from '../../../src/entity/body-codec.ts';

const body = (text: string, version = '1'): Body => ({ version, entity: Object.freeze({ text }) });
const A_YEAR = 31_536_000_000;

function keep(memory: MemoryTier, key: string, kept: Body | null): void {
  memory.set(key, kept, 0, A_YEAR);
}

t.test('what a body takes goes by its texts, twice as much for those that Latin-1 has not', async (t) => {
  const empty = bytesOf(body(''));
  t.equal(bytesOf(body('a'.repeat(20_000))) - empty, 20_000);
  t.equal(bytesOf(body('é'.repeat(20_000))) - empty, 20_000);
  t.equal(bytesOf(body('ж'.repeat(20_000))) - empty, 40_000);
  t.equal(bytesOf(body(`${'a'.repeat(19_998)}😀`)) - empty, 40_000);
  const nested: Body = {
    version: '1',
    entity: { list: ['a'.repeat(1000), { deep: 'b'.repeat(1000) }], none: null, n: 1 },
  };
  t.ok(bytesOf(nested) > 2000 && bytesOf(nested) < 3000, 'also in what a column holds as a whole');
  t.ok(bytesOf({ version: '1', entity: { bytes: new Uint8Array(5000) } }) > 5000);
  const document = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${'k'.repeat(1000)}${i}`, true]));
  t.ok(bytesOf({ version: '1', entity: { document } }) > 100_000, 'and the names in a document');
});

const counts = customType<{ data: Map<string, number>; driverData: string }>({
  dataType: () => 'text',
  fromDriver: (text) => new Map([...text].map((letter) => [letter, text.length])),
});
const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' });

t.test('what a value is made from anew counts as well', async (t) => {
  const codec = bodyCodec(getTableColumns(pgTable('things', { counts: counts(), bytes: bytea() })));
  if (codec === null) throw new Error('Nothing is to be converted.');
  const row = { counts: 'ab'.repeat(5000), bytes: Buffer.alloc(3000) };
  const { entity, stored } = codec.fromRow(row);
  const bytes = bytesOf({ version: '1', entity });
  t.ok(bytes > 16_000, `${bytes} bytes: the text of the one, and that of the other`);
  t.equal(bytesOf({ version: '1', entity: codec.toEntity(stored) }), bytes, 'the same from a cache');
});

t.test('memory takes no more bytes than it may, and no more bodies', async (t) => {
  const memory = new MemoryTier({ entries: 1000, bytes: 1_000_000 });
  for (let i = 0; i < 1000; i += 1) keep(memory, `Campaign-${i}`, body('a'.repeat(20_000)));
  const { bodies } = memory.use();
  t.ok(bodies.bytes <= 1_000_000, `${bodies.bytes} bytes`);
  t.ok(bodies.entries >= 40 && bodies.entries <= 50, `${bodies.entries} bodies of 20,000`);
  t.ok(memory.get('Campaign-999'), 'the last one is there');
  t.notOk(memory.get('Campaign-0'), 'the first one is not');

  keep(memory, 'Campaign-x', body('a'.repeat(2_000_000)));
  t.notOk(memory.get('Campaign-x'), 'one that is larger than all is not kept');
  t.ok(memory.get('Campaign-999'), 'and pushes nothing out');

  const few = new MemoryTier({ entries: 3, bytes: 1_000_000 });
  for (let i = 0; i < 10; i += 1) keep(few, `Campaign-${i}`, body(''));
  t.equal(few.use().bodies.entries, 3);
});

t.test('ids that name nothing push no body out', async (t) => {
  const memory = new MemoryTier({ entries: 10, bytes: 100_000 });
  for (let i = 0; i < 10; i += 1) keep(memory, `Campaign-${i}`, body('a'));
  for (let i = 100; i < 10_000; i += 1) keep(memory, `Campaign-${i}`, null);
  for (let i = 0; i < 10; i += 1) t.ok(memory.get(`Campaign-${i}`)?.body, `${i} is still there`);
  t.equal(memory.get('Campaign-9999')?.body, null, 'and the last of the others is known');
  t.match(memory.use(), { bodies: { entries: 10 }, negatives: { entries: 1 } });

  const wide = new MemoryTier({ entries: 1_000_000, bytes: 1_000_000 });
  for (let i = 0; i < 10_000; i += 1) keep(wide, `Campaign-${i}`, null);
  t.ok(wide.use().negatives.bytes <= 65_536, 'nor do they take more bytes than theirs');
});

t.test('a key holds one thing', async (t) => {
  const memory = new MemoryTier({ entries: 100, bytes: 100_000 });
  keep(memory, 'k', null);
  keep(memory, 'k', body('created'));
  t.match(memory.get('k'), { body: { entity: { text: 'created' } } });
  t.match(memory.use(), { bodies: { entries: 1 }, negatives: { entries: 0 } });
  keep(memory, 'k', null);
  t.match(memory.get('k'), { body: null });
  t.match(memory.use(), { bodies: { entries: 0, bytes: 0 }, negatives: { entries: 1 } });
  memory.delete('k');
  t.equal(memory.get('k'), undefined);
  t.match(memory.use(), { bodies: { entries: 0, bytes: 0 }, negatives: { entries: 0, bytes: 0 } });

  const first = body('a', '7');
  keep(memory, 'k', first);
  keep(memory, 'k', body('a', '7'));
  t.equal(memory.get('k')?.body, first, 'the same version is kept as it was');
  keep(memory, 'k', body('b'.repeat(100), '8'));
  t.match(memory.get('k'), { body: { version: '8' } }, 'and another one takes its place');
  t.equal(memory.use().bodies.bytes, bytesOf(body('b'.repeat(100))));
});

t.test('pages take no more bytes than they may, and no more bodies', async (t) => {
  const space = { entity: 'Campaign', shape: '' };
  const page = (size: number, text: string) => Array.from({ length: size }, () => body(text));
  const pages = new PageMemory({ entries: 1000, bytes: 1_000_000 });
  for (let i = 0; i < 100; i += 1) pages.set(space, `>${i}`, page(10, 'a'.repeat(20_000)));
  t.ok(pages.use().bytes <= 1_000_000 && pages.use().bytes > 700_000, `${pages.use().bytes} bytes`);
  t.equal(pages.use().entries, 40, 'four pages of ten');
  t.ok(pages.get(space, '>99'));
  t.notOk(pages.get(space, '>0'));
  pages.set(space, '>large', page(100, 'a'.repeat(20_000)));
  t.notOk(pages.get(space, '>large'), 'one that is larger than all is not kept');
  t.equal(pages.use().entries, 40);

  for (let i = 0; i < 200; i += 1) pages.set(space, `<${i}`, page(10, ''));
  t.equal(pages.use().entries, 1000, 'small ones go by their number');
  pages.set(space, '<199', page(10, 'b'));
  t.equal(pages.use().entries, 1000, 'one that takes the place of another does not count twice');
});
