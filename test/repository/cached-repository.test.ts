import { type Test, t } from 'tap';
import { createScope, type Scope } from '../../src/bodies/scope.ts';
import type { Body } from '../../src/cache/entry.ts';
import type { PageRequest } from '../../src/lists/page-request.ts';
import type { SelfAudit } from '../../src/outbox/self-audit.ts';
import { openRepositories } from '../../src/repository/entity.ts';
import { Trace } from '../../src/trace/trace.ts';
import { beat } from '../cache/support/redis-cache.ts';
import { entities, makeLibrary } from '../support/library.ts';
import { openStorage } from '../support/open-storage.ts';
import { freshDatabase, freshRedis, type TestRedis } from '../support/services.ts';
import { standingClock } from '../support/standing-clock.ts';
import { counted, openRedis, openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const database = await freshDatabase(t);
const sql = openSql(t, database);
await makeLibrary(sql, { libraries: 3, shelves: 30, books: 60, perShelf: 5 });
// Nobody drains here, and nobody needs to: nothing is cached yet.
await sql`truncate cache_outbox`;

/**
 * Repositories without a memory tier unless it has entries, over a Redis that is vouched for as long as the test takes. They hear of changes, and
 * no standstill of a busy machine makes them doubt it.
 */
async function repositories(
  t: Test,
  redis: TestRedis,
  {
    prefix = '',
    memoryMaxEntries = 0,
    ...more
  }: { prefix?: string; memoryMaxEntries?: number; audit?: SelfAudit } = {},
) {
  const clock = standingClock();
  const { storage, tier } = await openStorage(t, database, redis, memoryMaxEntries, prefix, clock);
  if (tier !== null) await beat(tier, 600_000);
  await until('their bus listens', () => storage.cache.covers('', clock.now()));
  const { Library, Shelf, Book } = openRepositories(entities, { ...storage, ...more });
  return { library: Library, shelf: Shelf, book: Book };
}

async function start(t: Test, prefix = '') {
  const redis = await freshRedis(t);
  const keys = openRedis(t, redis);
  return { redis, keys, ...(await repositories(t, redis, { prefix })) };
}

const titleOf = (body: Body | null) => (body?.entity as { title: string } | undefined)?.title;

const scope = (): Scope => createScope(new Trace());

async function versionOf(table: string, id: string): Promise<string> {
  const [row] = await sql.unsafe<{ version: string }[]>(`select xmin::text as version from ${table} where id = ${id}`);
  return row?.version ?? 'none';
}

t.test('findByIds', async (t) => {
  const { redis, shelf } = await start(t);
  const count = <T>(action: () => Promise<T>) => counted({ database, redis }, action);
  const ids = [
    '7',
    '3',
    '999',
    '7',
    '1',
    '0',
    '9223372036854775807',
    '3',
    'x',
    '-1',
    '9223372036854775808',
    '1e3',
    '\0',
  ];
  const titles = ['Shelf 7', 'Shelf 3', null, 'Shelf 7', 'Shelf 1', null, null, 'Shelf 3'];

  for (const [temperature, statements] of [
    ['cold', 1],
    ['warm', 0],
  ] as const) {
    const { answer, sql, mget } = await count(() => shelf.findByIds(ids, scope()));
    t.same(
      answer.map((found) => found?.title ?? null),
      [...titles, null, null, null, null, null],
      `${temperature}: in the order of the ids, null for gaps, duplicates as often as asked for`,
    );
    t.equal(sql, statements, `${temperature}: statements`);
    t.equal(mget, 1, `${temperature}: one MGET`);
  }

  const nothing = await count(async () => [
    await shelf.findByIds([], scope()),
    await shelf.findByRefs([], scope()),
    await shelf.findByIds(['01', 'x', '', '-0', '99999999999999999999'], scope()),
    await shelf.findById('nope', scope()),
  ]);
  t.same(nothing.answer, [[], [], [null, null, null, null, null], null]);
  t.same([nothing.sql, nothing.commands], [0, 0], 'nothing, and ids that no row can have, cost nothing');

  const half = await count(() => shelf.findByIds(['1', '20', '3', '21'], scope()));
  t.same([half.sql, half.rows, half.mget], [1, 2, 1], 'where some are cached, one statement reads the others alone');

  const own = scope();
  await shelf.findByIds(['5', '6'], own);
  const again = await count(() => shelf.findByIds(['6', '5', '1'], own));
  t.same([again.sql, again.mget], [0, 1], 'what a request has read is not read again');
  const known = await count(() => shelf.findByIds(['6', '5', '1', '6'], own));
  t.same([known.sql, known.commands], [0, 0], 'not even from Redis');
});

t.test('findById', async (t) => {
  const { shelf, library, book } = await start(t);
  t.strictSame(await shelf.findById('2', scope()), {
    id: '2',
    libraryId: '3',
    title: 'Shelf 2',
    body: 'Body of shelf 2',
  });
  t.strictSame(await library.findById('3', scope()), { id: '3', name: 'Library 3' });
  t.strictSame(await book.findById('4', scope()), {
    id: '4',
    title: 'Book 4',
    body: 'Body of book 4',
    publishedAt: '2026-01-01T00:00:00.000001Z',
  });
  t.equal(await book.findById('4000', scope()), null);
});

t.test('what comes from Postgres and what comes from Redis are the same', async (t) => {
  const { shelf, book, redis } = await start(t);
  const text = 'Ünïcödé 💥 "quoted" \\ \u2028 \u0001 </script> {"shape":"x"}';
  await sql`insert into libraries values (9007199254740993, ${text})`;
  await sql`insert into shelves values (9007199254740993, 9007199254740993, ${text}, '')`;
  await sql`insert into books values
    (9223372036854775807, ${text}, ${'x'.repeat(100_000)}, '0001-01-01 00:00:00+00'),
    (9007199254740993, '', '', '9999-12-31 23:59:59.999999+00'),
    (9007199254740992, '', '', '1969-12-31 23:59:59.5+00')`;
  await sql`truncate cache_outbox`;
  const ids = ['9007199254740993', '9007199254740992', '9223372036854775807'];
  const read = async () => [await shelf.findByIds(ids, scope()), await book.findByIds(ids, scope())];
  const fresh = await read();
  const { answer: cached, sql: statements } = await counted({ database, redis }, read);
  t.equal(statements, 0, 'the second time is from Redis');
  t.strictSame(cached, fresh);
  t.strictSame(fresh[0]?.[0], { id: ids[0], libraryId: ids[0], title: text, body: '' }, 'no digit is lost');
  t.match(fresh[1], [
    { publishedAt: '9999-12-31T23:59:59.999999Z' },
    { publishedAt: '1969-12-31T23:59:59.5Z' },
    { publishedAt: '0001-01-01T00:00:00Z' },
  ]);
  for (const entity of [...fresh, ...cached].flat()) t.ok(entity === null || Object.isFrozen(entity), 'frozen');
});

t.test('what is asked for several times is one answer to audit', async (t) => {
  const samples: unknown[] = [];
  const audit: SelfAudit = {
    sample: (entity, ids, bodies, hits) => samples.push({ entity, ids, titles: bodies.map(titleOf), hits }),
    close: () => {},
  };
  const { shelf } = await repositories(t, await freshRedis(t), { audit });
  const ids = [...Array<string>(50).fill('7'), 'x', '8', '7'];
  for (const hits of [0, 2]) {
    await shelf.findByIds(ids, scope());
    t.same(samples.pop(), { entity: 'Shelf', ids: ['7', '8'], titles: ['Shelf 7', 'Shelf 8'], hits });
  }
});

t.test('findByRefs', async (t) => {
  const { redis, shelf } = await start(t);
  const count = <T>(action: () => Promise<T>) => counted({ database, redis }, action);
  const [one, two] = await Promise.all(
    ['11', '12'].map(async (id) => ({ id, version: await versionOf('shelves', id) })),
  );
  if (one === undefined || two === undefined) throw new Error('no refs');

  const gone = { id: '999', version: '1' };
  const cold = await count(() => shelf.findByRefs([two, gone, one, two], scope()));
  t.same(
    cold.answer.map((found) => found?.id ?? null),
    ['12', null, '11', '12'],
    'in the order of the refs, null for a row that is gone, duplicates as often as asked for',
  );
  t.same([cold.sql, cold.mget], [1, 1]);
  const warm = await count(() => shelf.findByRefs([one, two], scope()));
  t.same([warm.sql, warm.mget], [0, 1], 'a body of the same version is used');

  await sql`update shelves set title = 'Changed' where id = 11`;
  await sql`truncate cache_outbox`;
  const old = await count(() => shelf.findByRefs([one], scope()));
  t.same([old.answer[0]?.title, old.sql], ['Shelf 11', 0], 'as old as the list that named it');
  const current = { id: '11', version: await versionOf('shelves', '11') };
  const stale = await count(() => shelf.findByRefs([current], scope()));
  t.same([stale.answer[0]?.title, stale.sql], ['Changed', 1], 'and as new: a body of another version is read again');
  const refilled = await count(() => shelf.findByRefs([current], scope()));
  t.same([refilled.answer[0]?.title, refilled.sql], ['Changed', 0], 'and replaced');

  const both = await count(() => shelf.findByRefs([one, current, one], scope()));
  t.same(
    both.answer.map((found) => found?.title),
    ['Changed', 'Changed', 'Changed'],
    'of two versions the newer counts',
  );
  t.equal(both.sql, 1);

  const request = scope();
  await shelf.findByRefs([two], request);
  const known = await count(() => shelf.findByRefs([two], request));
  t.same([known.sql, known.commands], [0, 0], 'what a request has read in that version is not read again');
  t.equal((await shelf.findByIds(['12'], request))[0]?.title, 'Shelf 12');
});

t.test('of two versions the newer counts, also when memory has the one and Redis the other', async (t) => {
  const redis = await freshRedis(t);
  const keys = openRedis(t, redis);
  const { shelf } = await repositories(t, redis, { memoryMaxEntries: 100 });
  const ref = async () => ({ id: '13', version: await versionOf('shelves', '13') });
  const old = await ref();
  await shelf.findByRefs([old], scope());
  const body = (await keys.get('Shelf-13')) ?? '';
  await sql`update shelves set title = 'Changed' where id = 13`;
  await sql`truncate cache_outbox`;
  const current = await ref();
  await shelf.findByRefs([current], scope());
  for (const refs of [
    [current, old],
    [old, current],
    [current, old, current],
  ]) {
    await keys.set('Shelf-13', body);
    const found = await shelf.findByRefs(refs, scope());
    t.same(
      found.map((one) => one?.title),
      refs.map(() => 'Changed'),
    );
  }
});

t.test('one SELECT for all who ask at once', async (t) => {
  const { redis, book } = await start(t);
  const ids = Array.from({ length: 50 }, (_, i) => String(i + 1));
  const { answer, sql } = await counted({ database, redis }, () =>
    Promise.all(Array.from({ length: 20 }, (_, i) => book.findByIds(ids.slice(i), scope()))),
  );
  t.equal(sql, 1);
  t.ok(answer.every((found, i) => found.every((entity, j) => entity?.id === ids[i + j])));
});

t.test('in Redis', async (t) => {
  const { keys, shelf, book } = await start(t);
  await shelf.findByIds(['1', '999'], scope());
  await book.findByRefs([{ id: '4', version: await versionOf('books', '4') }], scope());
  t.same((await keys.keys('*')).toSorted(), ['Book-4', 'Shelf-1', 'Shelf-999', 'larder:domain', 'larder:heartbeat']);
  const stored = JSON.parse((await keys.get('Shelf-1')) ?? '');
  t.match(stored, {
    shape: /^[0-9a-f]{12}$/,
    version: await versionOf('shelves', '1'),
    entity: { id: '1', libraryId: '2', title: 'Shelf 1', body: 'Body of shelf 1' },
  });
  t.match(JSON.parse((await keys.get('Book-4')) ?? ''), {
    entity: { id: '4', publishedAt: '2026-01-01T00:00:00.000001Z' },
  });
  t.match(JSON.parse((await keys.get('Shelf-999')) ?? ''), { shape: stored.shape, version: null, entity: null });

  const within = (ms: number, low: number, high: number) => ms > low && ms <= high;
  t.ok(within(await keys.pttl('Shelf-1'), 265_000, 330_000), 'a body lives for five minutes, more or less');
  t.ok(within(await keys.pttl('Shelf-999'), 22_000, 33_000), 'the absence of one for half a minute');
  const all = Array.from({ length: 30 }, (_, i) => String(i + 1));
  await shelf.findByIds(all, scope());
  const expiries = await Promise.all(all.map((id) => keys.pexpiretime(`Shelf-${id}`)));
  t.ok(Math.max(...expiries) - Math.min(...expiries) > 10_000, 'and bodies filled together do not expire together');
});

t.test('a key that holds something else is a miss', async (t) => {
  const { redis, keys, shelf } = await start(t);
  await shelf.findById('8', scope());
  const good = (await keys.get('Shelf-8')) ?? '';
  const stored = JSON.parse(good);
  const with_ = (changes: object) => JSON.stringify({ ...stored, ...changes });
  const unfit: Record<string, string | Buffer> = {
    'the body of another shape': with_({ shape: '000000000000', entity: { id: '8', name: 'not a shelf' } }),
    'a body without a shape': JSON.stringify({ version: stored.version, entity: stored.entity }),
    'the entity alone': JSON.stringify(stored.entity),
    'a body cut off': good.slice(0, -5),
    'a body and more': `${good}x`,
    'no JSON': 'Shelf 8',
    nothing: '',
    'a blank': ' ',
    'JSON null': 'null',
    'a number': '8',
    'a string': '"8"',
    'a list': `[${good}]`,
    'an empty object': '{}',
    'a numeric version': with_({ version: 1 }),
    'no version': with_({ version: undefined }),
    'a body without a version': with_({ version: null }),
    'a string for the entity': with_({ entity: 'x' }),
    'a list for the entity': with_({ entity: [] }),
    'no entity': with_({ entity: undefined }),
    'bytes that are no UTF-8': Buffer.from([0x7b, 0xff, 0xfe, 0x00]),
    'hostile JSON': '{"__proto__":{"shape":"x"},"constructor":1}',
    'a deep one': `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`,
  };
  const ref = { id: '8', version: await versionOf('shelves', '8') };
  for (const [name, value] of Object.entries(unfit)) {
    for (const [way, read] of [
      ['by id', () => shelf.findByIds(['8', '9'], scope())],
      ['by ref', () => shelf.findByRefs([ref], scope())],
    ] as const) {
      await keys.set('Shelf-8', value);
      const { answer, sql } = await counted({ database, redis }, read);
      t.same([answer[0]?.title, sql], ['Shelf 8', 1], `${name}, ${way}`);
      t.match(JSON.parse((await keys.get('Shelf-8')) ?? 'null'), { entity: stored.entity }, 'and is replaced');
    }
    await keys.del('Shelf-9');
  }

  const types: Record<string, () => Promise<unknown>> = {
    list: () => keys.rpush('Shelf-8', good),
    hash: () => keys.hset('Shelf-8', 'entity', good),
    set: () => keys.sadd('Shelf-8', good),
    'sorted set': () => keys.zadd('Shelf-8', 1, good),
    stream: () => keys.xadd('Shelf-8', '*', 'entity', good),
  };
  for (const [name, make] of Object.entries(types)) {
    await keys.del('Shelf-8');
    await make();
    t.same(
      (await shelf.findByIds(['8', '9'], scope())).map((found) => found?.title),
      ['Shelf 8', 'Shelf 9'],
      name,
    );
    t.equal((await shelf.findByRefs([ref], scope()))[0]?.title, 'Shelf 8', `${name}, by ref`);
    t.match(JSON.parse((await keys.get('Shelf-8')) ?? 'null'), { entity: stored.entity }, 'and is replaced');
  }
});

t.test('a prefix keeps two Larders in one Redis apart', async (t) => {
  const redis = await freshRedis(t);
  const keys = openRedis(t, redis);
  const [a, b] = [await repositories(t, redis, { prefix: 'a:' }), await repositories(t, redis, { prefix: 'b:' })];
  await a.shelf.findByIds(['1', '999'], scope());
  await b.book.findById('2', scope());
  const entities = (await keys.keys('*')).filter((key) => !key.includes('larder:'));
  t.same(entities.toSorted(), ['a:Shelf-1', 'a:Shelf-999', 'b:Book-2']);
  t.ok(
    (await keys.keys('*')).every((key) => /^[ab]:/.test(key)),
    'no key is without',
  );
  await keys.copy('a:Shelf-1', 'Shelf-1');
  const { sql } = await counted({ database, redis }, () => b.shelf.findById('1', scope()));
  t.equal(sql, 1, "the other's bodies are not seen");
});

t.test('list', async (t) => {
  const { redis, book, shelf } = await start(t);
  const request = (more: Partial<PageRequest>): PageRequest => ({
    order: 'PUBLISHED_AT',
    direction: 'ASC',
    limit: 3,
    backward: false,
    needs: { rows: true, entities: true, positions: false, total: false, flags: false },
    ...more,
  });
  const only = (need: 'rows' | 'positions' | 'total' | 'flags') => ({
    ...{ rows: need !== 'total', entities: false, positions: false, total: false, flags: false },
    [need]: true,
  });
  const { answer, sql } = await counted({ database, redis }, () =>
    book.list(
      'onShelf',
      [
        request({ parent: '1' }),
        request({ parent: '2', limit: 0, needs: only('total') }),
        request({ parent: '10' }),
        request({ parent: '1', limit: 2, needs: only('positions') }),
        request({ parent: '1', backward: true, limit: 2 }),
        request({ parent: '999', needs: only('flags') }),
        request({ parent: '1', order: 'ID', direction: 'DESC' }),
      ],
      scope(),
    ),
  );
  t.equal(sql, 4, 'one statement for each of three orders and directions, one for the bodies');
  t.same(
    answer.map((page) => page.items.map((item) => item.entity?.id ?? `(${item.id})`)),
    [['8', '9', '10'], [], [], ['(8)', '(9)'], ['11', '12'], [], ['12', '11', '10']],
  );
  t.same(answer[1]?.total, 5);
  t.equal(answer[0]?.total, null, 'what was not needed is not there, although another page needed it');
  t.same(answer[3]?.items[0]?.position, { key: '2026-01-01 00:00:00.000002+00', id: '8' });

  const none = await counted({ database, redis }, () => book.list('onShelf', [], scope()));
  t.same([none.answer, none.sql, none.commands], [[], 0, 0], 'no page costs nothing');
  await t.rejects(book.list('onShelf', [request({ parent: '1', order: 'TITLE' })], scope()), /no order TITLE/);
  await t.rejects(shelf.list('nope' as 'all', [request({ order: 'ID' })], scope()), /no list nope/);
});
