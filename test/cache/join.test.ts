import { t } from 'tap';
import { createScope } from '../../src/bodies/scope.ts';
import { openDatabase } from '../../src/postgres/client.ts';
import { openRepositories } from '../../src/repository/entity.ts';
import { Trace } from '../../src/trace/trace.ts';
import { entities, makeLibrary } from '../support/library.ts';
import { manualClock } from '../support/manual-clock.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { bareCache } from './support/bare-cache.ts';

const REQUEST_MS = 1000;

/** How much later than the first others ask. A reading by id is shared for a little longer than that. */
const LATER_MS = 200;
const SHARED_MS = 300;

t.test('who has time left reads anew when the time of the request is over that was waited for', async (t) => {
  const { url } = await freshDatabase(t);
  const [sql, holder] = [openSql(t, { url }), openSql(t, { url })];
  await makeLibrary(sql, { libraries: 1, shelves: 0, books: 0, perShelf: 0 });
  const clock = manualClock();
  const database = openDatabase({
    url,
    poolSize: 1,
    statementTimeoutMs: 60_000,
    requestTimeoutMs: REQUEST_MS,
    clock,
  });
  t.teardown(() => database.close());
  const fail = (error: Error) => t.fail(error.message);
  const { Library } = openRepositories(entities, {
    database,
    cache: bareCache(clock, SHARED_MS),
    onInvalidationFailed: fail,
  });
  const ask = () => {
    const trace = new Trace({ clock });
    return { trace, answer: Library.findById('1', createScope(trace)).catch((error: unknown) => error) };
  };

  await holder`begin`;
  await holder`lock table libraries`;
  const first = ask();
  await until('Postgres has it', async () => {
    const waiting =
      await sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    return waiting.length === 1;
  });
  await clock.advance(LATER_MS);
  const [second, third] = [ask(), ask()];
  await clock.advance(REQUEST_MS - LATER_MS);
  t.match(await first.answer, { name: 'DatabaseUnavailable' });
  await holder`commit`;
  for (const one of [second, third]) t.match(await one.answer, { name: 'Library 1' });
  t.equal(second.trace.sql.statements, 1);
  t.match(third.trace.entity('Library'), { joined: 1, misses: 0 }, 'all of them by one reading');

  await holder`begin`;
  await holder`lock table libraries`;
  const [alone, other] = [ask(), ask()];
  await clock.advance(50);
  const late = ask();
  await clock.advance(REQUEST_MS - 50);
  for (const one of [alone, other, late])
    t.match(await one.answer, { name: 'DatabaseUnavailable' }, 'their time is over, too, or as good as over');
  await holder`commit`;
});
