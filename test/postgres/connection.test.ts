import { getHeapSpaceStatistics } from 'node:v8';
import { t } from 'tap';
import { systemClock } from '../../src/clock.ts';
import { Connection } from '../../src/postgres/connection.ts';
import { freshDatabase } from '../support/services.ts';

const { url } = await freshDatabase(t);
const connection = new Connection({ url, statementTimeoutMs: 60_000 }, () => {}, systemClock);
t.teardown(() => connection.end(5));

const ROWS = 400;
const ROWS_TEXT = 'select n::text as id, md5(n::text) as title from generate_series(1, $1::int) n';

t.test('the rows of a statement come whole and in order', async (t) => {
  const rows = await connection.send<{ id: string }>(ROWS_TEXT, [ROWS]);
  t.same(
    rows.map(({ id }) => id),
    Array.from({ length: ROWS }, (_, i) => String(i + 1)),
  );
  t.same(await connection.send(ROWS_TEXT, [0]), [], 'and none are none');
});

t.test('rows that nobody has any more are not kept until the next collection of the whole heap', async (t) => {
  const oldBytes = () =>
    getHeapSpaceStatistics().find((space) => space.space_name === 'old_space')?.space_used_size ?? 0;
  const left: number[] = [];
  for (let batch = 0; batch < 9; batch++) {
    const before = oldBytes();
    for (let i = 0; i < 500; i++) await connection.send(ROWS_TEXT, [ROWS]);
    left.push((oldBytes() - before) / 500);
  }
  // The least and the most say nothing: a collection of the whole heap may come amid a batch, and what the process itself has made
  // so far, such as its compiled code, grows old in one of the first.
  const median = left.toSorted((a, b) => a - b)[4] ?? Number.NaN;
  // The rows of one such statement take 60 kB.
  t.ok(median < 10_000, `a statement leaves ${left.map(Math.round).join(', ')} bytes`);
});
