import { type Test, t } from 'tap';
import { copyRows } from '../../../src/app/data/copy.ts';
import { openDatabase } from '../../../src/postgres/client.ts';
import { freshDatabase } from '../../support/services.ts';

async function open(t: Test) {
  const { url } = await freshDatabase(t);
  const database = openDatabase({ url, poolSize: 1, statementTimeoutMs: 60_000 });
  t.teardown(() => database.close());
  return database.client;
}

function* brands(count: number): Generator<string[]> {
  for (let id = 1; id <= count; id++) yield [String(id), `brand ${id}`];
}

t.test('copies more rows than fit into one chunk, several tables in one transaction', async (t) => {
  const sql = await open(t);
  const counts = await sql.begin(async (sql) => [
    await copyRows(sql, 'brands (id, name)', brands(20_000)),
    await copyRows(sql, 'campaigns (id, brand_id, title)', [['1', '20000', 'one\ttwo\\\r\n\\N\\.']]),
    await copyRows(sql, 'events (id, title, starts_at)', []),
  ]);
  t.strictSame(counts, [20_000, 1, 0]);
  t.strictSame([...(await sql`select title from campaigns`)], [{ title: 'one\ttwo\\\r\n\\N\\.' }]);
  t.strictSame(
    [...(await sql`select count(*)::int as n, max(name) as last from brands`)],
    [{ n: 20_000, last: 'brand 9999' }],
  );
});

t.test('an error among the rows says what Postgres said', async (t) => {
  const sql = await open(t);
  function* rows(): Generator<string[]> {
    yield ['nonsense', 'x'];
    yield* brands(1_000_000);
  }
  const copy = sql.begin((sql) => copyRows(sql, 'brands (id, name)', rows()));
  await t.rejects(copy, { code: '22P02', message: /nonsense/ });
  t.equal((await sql`select from brands`).length, 0, 'the connection is still of use');
});

t.test('an error that Postgres reports after the last row is not waited for forever', async (t) => {
  const sql = await open(t);
  // A foreign key is checked at the end of the COPY.
  const copy = sql.begin((sql) => copyRows(sql, 'campaigns (id, brand_id, title)', [['1', '404', 'x']]));
  await t.rejects(copy, { message: /^Postgres refused rows .* \(copy campaigns / });
  t.equal((await sql`select from campaigns`).length, 0, 'the connection is still of use');
});

t.test('an error of the source ends the COPY', async (t) => {
  const sql = await open(t);
  function* rows(): Generator<string[]> {
    yield* brands(10_000);
    throw new Error('no more');
  }
  const copy = sql.begin((sql) => copyRows(sql, 'brands (id, name)', rows()));
  await t.rejects(copy, new Error('no more'));
  t.equal((await sql`select from brands`).length, 0, 'the connection is still of use');
});
