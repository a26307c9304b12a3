import * as fc from 'fast-check';
import { t } from 'tap';
import { sharedRows } from '../../src/bodies/shared-rows.ts';
import type { Loader } from '../../src/cache/read-through.ts';
import { openDatabase } from '../../src/postgres/client.ts';
import { DatabaseUnavailable } from '../../src/postgres/errors.ts';
import { runBodyRead } from '../../src/postgres/statement.ts';
import { Trace } from '../../src/trace/trace.ts';
import { entities, makeLibrary } from '../support/library.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const bookDefinition = entities.Book.define('Book');

const BOOKS = 60;

const database = await freshDatabase(t);
await makeLibrary(openSql(t, database), { libraries: 1, shelves: 1, books: BOOKS, perShelf: 1 });
const pool = openDatabase({ url: database.url, poolSize: 2, statementTimeoutMs: 60_000 });
t.teardown(() => pool.close());
const { byIds, toBody, valuesOfIds } = bookDefinition;

const alone: Loader = async (ids, trace) => {
  const rows = await runBodyRead(pool, byIds, valuesOfIds(ids), trace);
  return new Map(rows.map((row) => [row.id, toBody(row)]));
};
const load = sharedRows(byIds.name, alone);

// Whatever a connection asks when it is made is asked before anything is counted.
await alone(['1'], new Trace());

async function statements(): Promise<number> {
  return (await database.statements()).reduce((calls, statement) => calls + statement.calls, 0);
}

t.test('what requests of one turn miss is read by one statement, or the first eight of them sooner', async (t) => {
  const asked = fc.array(fc.array(fc.integer({ min: 1, max: BOOKS + 5 }).map(String), { minLength: 1, maxLength: 8 }), {
    minLength: 2,
    maxLength: 24,
  });
  await fc.assert(
    fc.asyncProperty(asked, async (drawn) => {
      const groups = drawn.map((ids) => [...new Set(ids)]);
      const traces = groups.map(() => new Trace());
      await database.resetStatements();
      const found = await Promise.all(groups.map((ids, i) => load(ids, traces[i] as Trace)));
      t.equal(await statements(), groups.length <= 8 ? 1 : 2);
      for (const [i, ids] of groups.entries()) {
        const own = await alone(ids, new Trace());
        for (const id of ids) t.same(found[i]?.get(id), own.get(id), 'with what its own would have brought');
        t.match(traces[i]?.sql, { statements: 1, rows: own.size }, 'and each counts its part of it');
        t.match(traces[i]?.slowest, { name: 'Book.byIds' });
      }
    }),
    { numRuns: 30 },
  );
});

t.test('at most sixteen share one, and what is large or looked at has one of its own', async (t) => {
  const many = Array.from({ length: 33 }, (_gap, i) => String(i + 1));
  for (const [what, ids, expected, trace] of [
    ['eight, sixteen and four', ['1'], 3, () => new Trace()],
    ['many bodies', many, 28, () => new Trace()],
    ['as many as may', many.slice(1), 3, () => new Trace()],
    ['a request that is looked at', ['1'], 28, () => new Trace({ recording: true })],
  ] as const) {
    await database.resetStatements();
    await Promise.all(Array.from({ length: 28 }, () => load([...ids], trace())));
    t.equal(await statements(), expected, what);
  }
});

t.test('nobody is given what was sent for before he asked', async (t) => {
  const answers: (() => void)[] = [];
  const slow = sharedRows('Thing.byIds', async () => {
    const version = String(answers.length);
    await new Promise<void>((resolve) => answers.push(resolve));
    return new Map([['1', { version, entity: {} }]]);
  });
  const sent = async (count: number) => {
    while (answers.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  const first = slow(['1'], new Trace());
  await sent(1);
  const second = slow(['1'], new Trace());
  await sent(2);
  for (const answer of answers) answer();
  t.equal((await first).get('1')?.version, '0');
  t.equal((await second).get('1')?.version, '1');
});

t.test('a statement that is refused fails nobody but whose fault it is', async (t) => {
  const sizes: number[] = [];
  const read = sharedRows('Thing.byIds', async (ids) => {
    sizes.push(ids.length);
    if (ids.includes('bad')) throw new TypeError('bad');
    return new Map();
  });
  const results = await Promise.allSettled(['1', 'bad', '2'].map((id) => read([id], new Trace())));
  t.match(results, [{ status: 'fulfilled' }, { reason: { message: 'bad' } }, { status: 'fulfilled' }]);
  t.same(sizes, [3, 1, 1, 1]);
});

t.test('where Postgres cannot answer, nobody asks again', async (t) => {
  let asked = 0;
  const read = sharedRows('Thing.byIds', async () => {
    asked += 1;
    throw new DatabaseUnavailable('gone');
  });
  const traces = [new Trace(), new Trace()];
  const results = await Promise.allSettled(traces.map((trace) => read(['1'], trace)));
  t.match(results, [{ reason: { message: 'gone' } }, { reason: { message: 'gone' } }]);
  t.equal(asked, 1);
  for (const trace of traces) t.match(trace.sql, { statements: 0 }, 'and nothing was sent');
});
