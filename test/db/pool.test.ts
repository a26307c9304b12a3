import { t } from 'tap';
import { Pool } from '../../src/db/pool.ts';
import { manualClock } from '../support/manual-clock.ts';
import { freshDatabase } from '../support/services.ts';

const SIZE = 4;

t.test('connections that were opened together are replaced one by one, after half an hour to an hour', async (t) => {
  const { url } = await freshDatabase(t);
  const clock = manualClock();
  const pool = new Pool({ url, statementTimeoutMs: 60_000 }, SIZE, clock);
  t.teardown(() => pool.end(5));
  /** Which backends answer when all connections are asked at once. */
  const backends = async () => {
    const answers = Array.from({ length: SIZE }, () =>
      pool.share().send<{ pid: string }>('select pg_backend_pid() as pid'),
    );
    return (await Promise.all(answers)).map(([row]) => String(row?.pid));
  };
  const first = await backends();
  t.equal(new Set(first).size, SIZE, 'each has one of its own');
  let known = first;
  const replaced: number[] = [];
  for (let minute = 1; minute <= 60; minute += 1) {
    await clock.advance(60_000);
    const now = await backends();
    const fresh = now.filter((pid) => !known.includes(pid)).length;
    t.ok(fresh <= 1, `minute ${minute}: ${fresh} replaced`);
    if (fresh > 0) replaced.push(minute);
    known = now;
  }
  t.equal(replaced.length, SIZE, `in the minutes ${replaced}`);
  t.ok((replaced[0] ?? 0) >= 30, 'none is replaced before its time');
  t.same(
    known.filter((pid) => first.includes(pid)),
    [],
    'and all are in an hour',
  );
});
