import { integer, pgTable } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { listSource } from '../../src/entity/definition.ts';
import { listReader } from '../../src/lists/list.ts';
import { openDatabase } from '../../src/postgres/client.ts';
import { entity } from '../../src/repository/entity.ts';
import { Trace } from '../../src/trace/trace.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const COLUMNS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;
const things = pgTable('things', {
  id: integer('id').primaryKey(),
  ...{ a: integer('a'), b: integer('b'), c: integer('c'), d: integer('d') },
  ...{ e: integer('e'), f: integer('f'), g: integer('g'), h: integer('h') },
});
const filters = Object.fromEntries(COLUMNS.map((column) => [column, { eq: things[column] }]));
const definition = entity(things, { lists: { all: { orders: { ID: null }, filters } } }).define('Thing');

t.test('what strangers combine is bounded: not each mix of filters stays prepared in Postgres', async (t) => {
  const database = await freshDatabase(t);
  const sql = openSql(t, database);
  await sql.unsafe(`create table things (id int primary key, ${COLUMNS.map((column) => `${column} int`).join(', ')})`);
  await sql`insert into things select i, i % 2, i % 3, i % 5, i % 7, 1, 1, 1, 1 from generate_series(1, 300) i`;
  const pool = openDatabase({ url: database.url, poolSize: 1, statementTimeoutMs: 60_000 });
  t.teardown(() => pool.close());
  const read = listReader(pool, listSource(definition, 'all'));
  const mixes = Array.from({ length: 256 }, (_, bits) => COLUMNS.filter((_column, i) => bits & (1 << i)));
  for (let round = 1; round <= 2; round += 1) {
    for (const mix of mixes) {
      const [page] = await read(
        [
          {
            ...{ order: 'ID', direction: 'ASC', limit: 500, backward: false },
            filters: mix.length === 0 ? undefined : mix.map((column) => [column, '1'] as const),
            needs: { rows: true, entities: false, positions: false, total: false, flags: false },
          },
        ],
        new Trace(pool),
      );
      const isIn = (i: number) =>
        mix.every((column) => ({ a: i % 2, b: i % 3, c: i % 5, d: i % 7 })[column as 'a'] === 1 || column > 'd');
      const expected = Array.from({ length: 300 }, (_, i) => i + 1).filter(isIn);
      if (page?.refs.map(({ id }) => id).join() !== expected.join()) t.fail(`${mix.join()} in round ${round}`);
    }
    const [row] = await pool.query<{ prepared: number }>(
      'select count(*)::int as prepared from pg_prepared_statements',
    );
    t.ok(Number(row?.prepared) > 50, 'the first are prepared');
    t.ok(Number(row?.prepared) <= 120, `${row?.prepared} are prepared`);
  }
});
