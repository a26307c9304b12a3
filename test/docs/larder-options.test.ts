import { t } from 'tap';
import { createLarder } from '../../src/index.ts';
import { section } from './document.ts';

/** The names that createLarder takes in one place, as it says itself. */
async function namesIn(place: 'postgres' | 'redis' | 'cache' | null): Promise<string[]> {
  const wrong = { misspelt: true };
  const options = { entities: {}, postgres: { url: '' }, ...(place === null ? wrong : { [place]: wrong }) };
  const { message } = await createLarder(options as never).then(
    () => new Error('It takes anything.'),
    (error: Error) => error,
  );
  const [, names = ''] = /expected some of (.+), got misspelt/.exec(message) ?? [];
  return names.split(', ').map((name) => (place === null ? name : `${place}.${name}`));
}

t.test('docs/your-tables.md has each option of createLarder', async (t) => {
  const rows = section('docs/your-tables.md', 'Options of createLarder').matchAll(/^\| (`.+?) \|/gm);
  const told = [...rows].flatMap(([, names = '']) => [...names.matchAll(/`([\w.]+)`/g)].map(([, name = '']) => name));
  const all = await Promise.all(([null, 'postgres', 'redis', 'cache'] as const).map(namesIn));
  // The others stand for an object of options.
  t.same(
    told.sort(),
    all
      .flat()
      .filter((name) => name !== 'postgres' && name !== 'cache')
      .sort(),
  );
});
