import * as fc from 'fast-check';
import { t } from 'tap';
import { listSource } from '../../src/entity/definition.ts';
import { listReader, sharedPages } from '../../src/lists/list.ts';
import type { Page, PageRow } from '../../src/lists/page.ts';
import type { PageNeeds, PageQuery } from '../../src/lists/page-request.ts';
import { openDatabase } from '../../src/postgres/client.ts';
import { DatabaseUnavailable } from '../../src/postgres/errors.ts';
import { openChannels, type SqlExchange } from '../../src/trace/channels.ts';
import { Trace } from '../../src/trace/trace.ts';
import { entities, makeLibrary } from '../support/library.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const bookDefinition = entities.Book.define('Book');

const SHELVES = 12;

const database = await freshDatabase(t);
await makeLibrary(openSql(t, database), { libraries: 2, shelves: SHELVES, books: 60, perShelf: 15 });
const pool = openDatabase({ url: database.url, poolSize: 2, statementTimeoutMs: 60_000 });
t.teardown(() => pool.close());
const reader = listReader(pool, listSource(bookDefinition, 'onShelf'));

const NEEDS: PageNeeds = { rows: true, entities: false, positions: true, total: false, flags: true };

const page = (more: Partial<PageQuery> = {}): PageQuery => ({
  parent: '1',
  order: 'PUBLISHED_AT',
  direction: 'ASC',
  limit: 3,
  backward: false,
  needs: NEEDS,
  ...more,
});

const PAGE: PageRow = { ord: 0, ids: null, versions: null };

// Whatever a connection asks when it is made is asked before anything is counted.
await reader([page()], new Trace());

async function statements(): Promise<number> {
  return (await database.statements()).reduce((calls, statement) => calls + statement.calls, 0);
}

t.test('requests of one turn share a statement for their small pages', async (t) => {
  const told: SqlExchange[] = [];
  const channels = openChannels();
  const leave = channels.sql.subscribe((event) => told.push(event));
  t.teardown(leave);
  await database.resetStatements();
  const traces = Array.from({ length: 28 }, () => new Trace({ channels }));
  const pages = await Promise.all(
    traces.map((trace, i) => reader([page({ parent: String(1 + (i % SHELVES)), limit: i }), page()], trace)),
  );
  t.equal(await statements(), 3, 'eight of them the first, and at most sixteen each while that is under way');
  t.same(
    told.map(({ rows }) => rows).sort((a, b) => b - a),
    [32, 16, 8],
    'each of which is told once',
  );
  for (const trace of traces) t.match(trace.sql, { statements: 1, rows: 2 }, 'and each counts its part of it');
  t.ok(traces.every(({ slowest }) => slowest.name === 'Book.onShelf' && slowest.ms > 0));
  t.ok(pages.every(([, second]) => second?.refs.length === 3));
});

t.test('what is large, counted or looked at has a statement of its own', async (t) => {
  const total = { ...NEEDS, total: true };
  for (const [what, requests, trace] of [
    ['many rows', (parent) => [page({ parent, limit: 32 })], () => new Trace()],
    ['many pages', (parent) => Array.from({ length: 9 }, () => page({ parent })), () => new Trace()],
    ['a count', (parent) => [page({ parent, needs: total })], () => new Trace()],
    [
      'a filter',
      (parent) => [page({ parent, filters: [['publishedAfter', '2020-01-01T00:00:00Z']] })],
      () => new Trace(),
    ],
    ['a request that is looked at', () => [page()], () => new Trace({ recording: true })],
    ['a request with spans', () => [page()], () => new Trace({ ownStatements: true })],
  ] as [string, (parent: string) => PageQuery[], () => Trace][]) {
    await database.resetStatements();
    await Promise.all(['1', '2', '3'].map((parent) => reader(requests(parent), trace())));
    t.equal(await statements(), 3, what);
  }
});

t.test('requests of one turn that ask for the same share it', async (t) => {
  const total = { ...NEEDS, total: true };
  for (const [what, requests, sharers] of [
    ['a small page', [page()], 16],
    ['many rows', [page({ limit: 32 })], 4],
    ['a count', [page({ needs: total })], 4],
    ['a filter', [page({ filters: [['publishedAfter', '2020-01-01T00:00:00Z']] })], 4],
  ] as const) {
    const [alone] = await Promise.all([reader(requests, new Trace({ ownStatements: true }))]);
    const traces = Array.from({ length: sharers }, () => new Trace());
    await database.resetStatements();
    const answers = await Promise.all(traces.map((trace) => reader(requests, trace)));
    t.equal(await statements(), 1, what);
    for (const answer of answers) t.same(asPlain(answer), asPlain(alone ?? []));
    for (const trace of traces) t.match(trace.sql, { statements: 1, rows: 1 }, 'and each counts it');
    // Small ones find room in the same statement all the same.
    const more = Array.from({ length: sharers + 1 }, () => reader(requests, new Trace()));
    await Promise.all(more);
    t.equal(await statements(), sharers === 16 ? 2 : 3, `${what}: so many share it and no more`);
  }
});

t.test('what differs in anything is not the same', async (t) => {
  const place = { key: '2020-01-01T00:00:00Z', id: '1' };
  const asked = page({
    limit: 100,
    after: place,
    before: place,
    filters: [['publishedAfter', 'a']],
    needs: { ...NEEDS, entities: true },
  });
  // By all that a request has: what is added to it later must be compared, too.
  const changes: { [name in keyof Required<PageQuery>]: readonly PageQuery[name][] } = {
    parent: ['2', undefined],
    order: ['ID'],
    direction: ['DESC'],
    limit: [99],
    backward: [true],
    after: [{ ...place, id: '2' }, { ...place, key: null }, undefined],
    before: [{ ...place, id: '2' }, { ...place, key: null }, undefined],
    filters: [[['publishedAfter', 'b']], [['publishedBefore', 'a']], undefined],
    needs: Object.entries(asked.needs).map(([need, wanted]) => ({ ...asked.needs, [need]: !wanted })),
  };
  const others = Object.entries(changes).flatMap(([name, values]) => values.map((value) => ({ [name]: value })));
  const sent: (readonly PageQuery[])[] = [];
  const read = sharedPages('Thing.all', async (requests) => {
    sent.push(requests);
    return requests.map(() => PAGE);
  });
  for (const other of others) {
    sent.length = 0;
    const groups = [[asked], [{ ...asked, ...other }], [asked, asked]];
    await Promise.all(groups.map((group) => read(group, new Trace())));
    t.same(sent, groups, Object.keys(other).join());
  }
});

t.test('nobody is given what was asked for before', async (t) => {
  const answers: ((pages: PageRow[]) => void)[] = [];
  const read = sharedPages('Thing.all', () => new Promise((resolve) => answers.push(resolve)));
  for (const limit of [3, 100]) {
    answers.length = 0;
    const first = read([page({ limit })], new Trace());
    while (answers.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const second = read([page({ limit })], new Trace());
    answers[0]?.([{ ...PAGE, total: '1' }]);
    t.match(await first, [{ total: '1' }]);
    while (answers.length === 1) await new Promise((resolve) => setImmediate(resolve));
    answers[1]?.([{ ...PAGE, total: '2' }]);
    t.match(await second, [{ total: '2' }], 'it reads again, for what was written meanwhile');
  }
});

t.test(
  'a statement is sent as soon as no other group may share it, and nobody is given what it brings after that',
  async (t) => {
    const sent: number[] = [];
    const read = sharedPages('Thing.all', async (requests) => {
      sent.push(requests.length);
      return requests.map(() => PAGE);
    });
    const ask = (limit: number) => read([page({ limit })], new Trace());
    const asked = Array.from({ length: 8 }, (_, i) => ask(i));
    t.same(sent, [8], 'before the turn has ended');
    asked.push(...Array.from({ length: 15 }, (_, i) => ask(i)));
    t.same(sent, [8], 'more find room in the next while that is under way');
    asked.push(ask(15));
    t.same(sent, [8, 16]);
    asked.push(...[0, 15, 20].map(ask));
    t.same(sent, [8, 16]);
    await Promise.all(asked);
    t.same(sent, [8, 16, 3], 'what comes later is read later, also what was asked for before');
    asked.splice(0, asked.length, ...Array.from({ length: 8 }, (_, i) => ask(i)));
    t.same(sent, [8, 16, 3, 8], 'and nothing is waited for when nothing is under way any more');
    await Promise.all(asked);
  },
);

t.test('what has not been sent yet is shared on', async (t) => {
  const sent: number[] = [];
  const read = sharedPages('Thing.all', async (requests) => {
    sent.push(requests.length);
    return requests.map(() => PAGE);
  });
  const ask = (limit: number) => read([page({ limit })], new Trace());
  const large = ask(100);
  const small = Array.from({ length: 8 }, (_, i) => ask(i));
  t.same(sent, [8]);
  await Promise.all([large, ask(100), ...small]);
  t.same(sent, [8, 1], 'a large page waits for the end of the turn, and for others who ask for it');
});

/** A list's cursor, as a page gives it. */
async function positions(parent: string, direction: 'ASC' | 'DESC') {
  const [all] = await reader([page({ parent, direction, limit: 100 })], new Trace());
  return all?.refs.map(({ id }, i) => ({ key: all.keys?.[i] ?? null, id })) ?? [];
}

/** Pages with what they make when it is read. */
function asPlain(pages: readonly Page[]) {
  return pages.map(({ named, refs, keys, hasNext, hasPrevious, total }) => [
    named,
    refs,
    keys,
    hasNext,
    hasPrevious,
    total,
  ]);
}

t.test('a shared statement brings what each would have brought alone', async (t) => {
  const direction = fc.constantFrom('ASC' as const, 'DESC' as const);
  const request = fc.record({
    parent: fc.integer({ min: 1, max: SHELVES + 1 }).map(String),
    direction,
    limit: fc.integer({ min: 0, max: 8 }),
    backward: fc.boolean(),
    cursor: fc.option(fc.nat(14), { nil: null }),
    side: fc.constantFrom('after' as const, 'before' as const),
    flags: fc.boolean(),
    keys: fc.boolean(),
  });
  const counts = { together: 0, alone: 0 };
  const groups = fc.array(fc.array(request, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 24 });
  await fc.assert(
    fc.asyncProperty(groups, async (drawn) => {
      const asked = await Promise.all(
        drawn.map((group) =>
          Promise.all(
            group.map(async ({ cursor, side, flags, keys, ...rest }) => {
              const found = cursor === null ? [] : await positions(rest.parent, rest.direction);
              return page({ ...rest, [side]: found[cursor ?? 0], needs: { ...NEEDS, flags, positions: keys } });
            }),
          ),
        ),
      );
      await database.resetStatements();
      const shared = await Promise.all(asked.map((requests) => reader(requests, new Trace())));
      const together = await statements();
      const alone: Page[][] = [];
      for (const requests of asked) alone.push(await reader(requests, new Trace({ ownStatements: true })));
      counts.together += together;
      counts.alone += (await statements()) - together;
      t.same(shared.map(asPlain), alone.map(asPlain));
    }),
    { numRuns: 60 },
  );
  t.ok(counts.together < counts.alone, `${counts.together} statements instead of ${counts.alone}`);
});

t.test('a statement that is refused fails nobody but whose fault it is', async (t) => {
  const sizes: number[] = [];
  const read = sharedPages('Thing.all', async (requests) => {
    sizes.push(requests.length);
    if (requests.some(({ parent }) => parent === 'bad')) throw new TypeError('bad');
    return requests.map(() => PAGE);
  });
  const results = await Promise.allSettled(
    ['1', 'bad', '2'].map((parent) => read([page({ parent }), page({ parent })], new Trace())),
  );
  t.match(results, [{ value: [PAGE, PAGE] }, { reason: { message: 'bad' } }, { value: [PAGE, PAGE] }]);
  t.same(sizes, [6, 2, 2, 2]);
  sizes.length = 0;
  const more = Array.from({ length: 8 }, (_, i) => read([page({ limit: i })], new Trace()));
  t.same(sizes, [8], 'and it is no longer under way: eight wait for nothing');
  await Promise.all(more);
});

t.test('what has waited for a statement waits no more when that is answered and another asks', async (t) => {
  const sizes: number[] = [];
  const answers: (() => void)[] = [];
  const read = sharedPages('Thing.all', async (requests) => {
    sizes.push(requests.length);
    await new Promise<void>((resolve) => answers.push(resolve));
    return requests.map(() => PAGE);
  });
  let limit = 0;
  const ask = (count: number) =>
    Array.from({ length: count }, () => read([page({ parent: String(limit), limit: limit++ % 24 })], new Trace()));
  const first = ask(8);
  const second = ask(10);
  answers[0]?.();
  await Promise.all(first);
  t.same(sizes, [8], 'still in the turn in which they asked');
  const third = ask(1);
  t.same(sizes, [8, 11]);
  answers[1]?.();
  await Promise.all([...second, ...third]);
});

t.test('where Postgres cannot answer, nobody asks again', async (t) => {
  let asked = 0;
  const read = sharedPages('Thing.all', async () => {
    asked += 1;
    throw new DatabaseUnavailable('gone');
  });
  const traces = [new Trace(), new Trace()];
  const results = await Promise.allSettled(traces.map((trace, i) => read([page({ limit: i })], trace)));
  t.match(results, [{ reason: { message: 'gone' } }, { reason: { message: 'gone' } }]);
  t.equal(asked, 1);
  for (const trace of traces) t.match(trace.sql, { statements: 0 }, 'and nothing was sent');
  const more = Array.from({ length: 8 }, (_, i) => read([page({ limit: i })], new Trace()));
  t.equal(asked, 2, 'nor is it still under way');
  await Promise.allSettled(more);
});

t.test('a shared statement has the time of the last to come, and is wanted while anybody wants it', async (t) => {
  const seen: Trace[] = [];
  const read = sharedPages('Thing.all', async (requests, trace) => {
    seen.push(trace);
    return requests.map(() => PAGE);
  });
  const traces = [new Trace({ started: 10 }), new Trace({ started: 30 }), new Trace({ started: 20 })];
  const [first, second, third] = traces as [Trace, Trace, Trace];
  await Promise.all(traces.map((trace) => read([page()], trace)));
  t.match(seen, [{ started: 30 }]);
  for (const trace of [first, second, third]) {
    t.equal(seen[0]?.abandoned, false);
    trace.abandon();
  }
  t.equal(seen[0]?.abandoned, true, 'also while it waits for its place');
});
