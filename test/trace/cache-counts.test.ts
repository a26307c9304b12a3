import { t } from 'tap';
import { addCounts, type CacheCounts, noCounts } from '../../src/trace/cache-counts.ts';

t.test('every count is added', async (t) => {
  const names = Object.keys(noCounts()) as (keyof CacheCounts)[];
  const counts = noCounts();
  names.forEach((name, i) => {
    counts[name] = i + 1;
  });
  const sum = noCounts();
  addCounts(sum, counts);
  addCounts(sum, counts);
  t.same(Object.fromEntries(names.map((name, i) => [name, 2 * (i + 1)])), sum);
});
