import { t } from 'tap';
import { generated } from './generated.ts';
import { drawImports, roomImports } from './imports.ts';

t.test('the parts of docs that are made from other files are up to date', async (t) => {
  for (const { page, now, wanted } of generated()) t.equal(now, wanted, `${page}: npm run docs`);
});

t.test('a diagram has the arrows that do not follow from others, and refuses circles', async (t) => {
  const house = new Map([
    ['a', new Set(['b', 'c'])],
    ['b', new Set(['c'])],
    ['c', new Set<string>()],
  ]);
  t.equal(drawImports(house), '```mermaid\nflowchart TD\n  a --> b\n  b --> c\n```');
  house.set('c', new Set(['a']));
  t.throws(() => drawImports(house), /A circle of imports: a -> b -> c -> a/);
  t.ok(roomImports().get('cli')?.has('app'), 'the imports of src are found');
  t.equal(roomImports().get('init')?.size, 0, 'what writes a project needs nothing of Larder');
});
