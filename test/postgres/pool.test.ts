import { t } from 'tap';
import { openDatabase } from '../../src/postgres/client.ts';
import { Pool } from '../../src/postgres/pool.ts';
import { manualClock } from '../support/manual-clock.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const HALF_AN_HOUR_MS = 1_800_000;

const SIZE = 4;

t.test('a pool that was closed opens no other connection', async (t) => {
  const { url } = await freshDatabase(t);
  const database = openDatabase({ url, poolSize: 1, statementTimeoutMs: 60_000 });
  await database.query('select 1', []);
  await database.close();
  await t.rejects(database.query('select 1', []), { name: 'ConnectionLost' });
  await t.rejects(
    database.begin(async () => {}),
    { name: 'ConnectionLost' },
  );
  t.equal(await database.ping(), false);
});

t.test('a statement that comes while the pool is closed fails alone', async (t) => {
  const { url } = await freshDatabase(t);
  const database = openDatabase({ url, poolSize: 1, statementTimeoutMs: 60_000 });
  await database.query('select 1');
  const underWay = database.query<{ n: number }>('select 1 as n from pg_sleep(1)');
  const closed = database.close();
  await t.rejects(database.query('select 2'), { name: 'ConnectionLost' });
  await t.rejects(
    database.begin(async () => {}),
    { name: 'ConnectionLost' },
  );
  t.same(await underWay, [{ n: 1 }]);
  await closed;
});

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

t.test('a connection that is too old is replaced when it is idle, and not while it is at work', async (t) => {
  const database = await freshDatabase(t);
  const sql = openSql(t, database);
  const clock = manualClock();
  const opened = openDatabase({ url: database.url, poolSize: 1, statementTimeoutMs: 0, clock });
  t.teardown(() => opened.close());
  const backend = async () => (await opened.query<{ pid: number }>('select pg_backend_pid() as pid'))[0]?.pid;
  const first = await backend();
  await clock.advance(HALF_AN_HOUR_MS);
  t.equal(await backend(), first, 'it is young enough');

  await sql`begin`;
  await sql`select pg_advisory_xact_lock(1)`;
  const working = opened.query<{ pid: number }>('select pg_backend_pid() as pid from pg_advisory_xact_lock(1)');
  await clock.advance(HALF_AN_HOUR_MS);
  const behind = backend();
  await sql`commit`;
  t.equal((await working)[0]?.pid, first, 'what is under way ends where it began');
  t.equal(await behind, first, 'and what was asked behind it');

  const second = await backend();
  t.not(second, first, 'it is too old, and idle');
  await until('the old one is closed', async () => {
    const left =
      await sql`select pid from pg_stat_activity where datname = ${database.name} and application_name = 'larder'`;
    return left.length === 1 && left[0]?.pid === second;
  });
  t.equal(await backend(), second);
});

t.test('reads and transactions in turn open no more connections than both need', async (t) => {
  const database = await freshDatabase(t);
  const sql = openSql(t, database);
  const opened = openDatabase({ url: database.url, poolSize: 2, statementTimeoutMs: 0 });
  t.teardown(() => opened.close());
  const backends = async () =>
    (await sql`select pid from pg_stat_activity where datname = ${database.name} and application_name = 'larder'`)
      .length;
  for (let round = 0; round < 6; round += 1) {
    await sql`begin`;
    await sql`select pg_advisory_xact_lock(1)`;
    // As many as are shared by now, and more: all of them are at work.
    const reads = Array.from({ length: 12 }, () => opened.query('select pg_advisory_xact_lock_shared(1)'));
    for (let write = 0; write < 3; write += 1) await opened.begin((send) => send('select 1'));
    await sql`commit`;
    await Promise.all(reads);
    const count = await backends();
    t.ok(count <= 4, `round ${round}: ${count} connections`);
  }
});
