import fc from 'fast-check';
import { t } from 'tap';
import { arrayLiteral } from '../../src/postgres/statement.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const sql = openSql(t, await freshDatabase(t));

t.test('Postgres reads of an array what was written', async (t) => {
  const text = fc.string({ unit: fc.constantFrom(...'"\\{},;\n aNULé1-') });
  let special = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(text), async (items) => {
      special += items.filter((item) => /["\\]/.test(item)).length;
      const [row] = await sql<{ items: string[] }[]>`select to_json(${arrayLiteral(items)}::text[]) as items`;
      t.same(row?.items, items);
    }),
  );
  t.ok(special > 0, `${special} had something to escape`);
});

t.test('numbers and flags, too', async (t) => {
  const [row] = await sql`
    select to_json(${arrayLiteral([1, -2])}::int[]) as ints, to_json(${arrayLiteral([true, false])}::bool[]) as flags`;
  t.same(row, { ints: [1, -2], flags: [true, false] });
});
