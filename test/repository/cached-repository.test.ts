import { type Test, t } from 'tap';
import { entities } from '../../src/app/entities.ts';
import { createScope, type Scope } from '../../src/bodies/scope.ts';
import type { Body } from '../../src/cache/entry.ts';
import { openCache } from '../../src/cache/open-cache.ts';
import type { PageRequest } from '../../src/lists/page.ts';
import type { SelfAudit } from '../../src/outbox/self-audit.ts';
import { openDatabase } from '../../src/postgres/client.ts';
import { openRepositories } from '../../src/repository/entity.ts';
import { Trace } from '../../src/trace/trace.ts';
import { beat } from '../cache/support/redis-cache.ts';
import { makeData } from '../support/data.ts';
import { counted, openRedis, openSql } from '../support/server.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS, type TestRedis } from '../support/services.ts';

const database = await freshDatabase(t);
const sql = openSql(t, database);
await makeData(sql, { brands: 3, campaigns: 30, events: 60, perCampaign: 5 });
// Nobody drains here, and nobody needs to: nothing is cached yet.
await sql`truncate cache_outbox`;

/** Repositories without a memory tier unless it has entries, over a Redis that is vouched for as long as the test takes. */
async function repositories(
  t: Test,
  redis: TestRedis,
  {
    prefix = '',
    memoryMaxEntries = 0,
    ...more
  }: { prefix?: string; memoryMaxEntries?: number; audit?: SelfAudit } = {},
) {
  const pool = openDatabase({ url: database.url, poolSize: 2, statementTimeoutMs: 5000 });
  const fail = (error: Error) => t.fail(error.message);
  const settings = {
    redisUrl: redis.url,
    redisTimeoutMs: REDIS_PATIENCE_MS,
    prefix,
    ttlMs: 300_000,
    memoryTtlMs: 1000,
    memoryMaxEntries,
  };
  const { cache, redis: tier, close } = openCache(settings, fail);
  t.teardown(async () => {
    await close();
    await pool.close();
  });
  t.ok(await tier?.connected(REDIS_PATIENCE_MS), 'Redis is there');
  if (tier !== null) await beat(tier, 600_000);
  const { Brand, Campaign, Event } = openRepositories(entities, {
    database: pool,
    cache,
    onInvalidationFailed: fail,
    ...more,
  });
  return { brand: Brand, campaign: Campaign, event: Event };
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
  const { redis, campaign } = await start(t);
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
  const titles = ['Campaign 7', 'Campaign 3', null, 'Campaign 7', 'Campaign 1', null, null, 'Campaign 3'];

  for (const [temperature, statements] of [
    ['cold', 1],
    ['warm', 0],
  ] as const) {
    const { answer, sql, mget } = await count(() => campaign.findByIds(ids, scope()));
    t.same(
      answer.map((found) => found?.title ?? null),
      [...titles, null, null, null, null, null],
      `${temperature}: in the order of the ids, null for gaps, duplicates as often as asked for`,
    );
    t.equal(sql, statements, `${temperature}: statements`);
    t.equal(mget, 1, `${temperature}: one MGET`);
  }

  const nothing = await count(async () => [
    await campaign.findByIds([], scope()),
    await campaign.findByRefs([], scope()),
    await campaign.findByIds(['0', 'x', '', '-5', '99999999999999999999'], scope()),
    await campaign.findById('nope', scope()),
  ]);
  t.same(nothing.answer, [[], [], [null, null, null, null, null], null]);
  t.same([nothing.sql, nothing.commands], [0, 0], 'nothing, and ids that no row can have, cost nothing');

  const half = await count(() => campaign.findByIds(['1', '20', '3', '21'], scope()));
  t.same([half.sql, half.rows, half.mget], [1, 2, 1], 'where some are cached, one statement reads the others alone');

  const own = scope();
  await campaign.findByIds(['5', '6'], own);
  const again = await count(() => campaign.findByIds(['6', '5', '1'], own));
  t.same([again.sql, again.mget], [0, 1], 'what a request has read is not read again');
  const known = await count(() => campaign.findByIds(['6', '5', '1', '6'], own));
  t.same([known.sql, known.commands], [0, 0], 'not even from Redis');
});

t.test('findById', async (t) => {
  const { campaign, brand, event } = await start(t);
  t.strictSame(await campaign.findById('2', scope()), {
    id: '2',
    brandId: '3',
    title: 'Campaign 2',
    body: 'Body of campaign 2',
  });
  t.strictSame(await brand.findById('3', scope()), { id: '3', name: 'Brand 3' });
  t.strictSame(await event.findById('4', scope()), {
    id: '4',
    title: 'Event 4',
    body: 'Body of event 4',
    startsAt: '2026-01-01T00:00:00.000001Z',
  });
  t.equal(await event.findById('4000', scope()), null);
});

t.test('what comes from Postgres and what comes from Redis are the same', async (t) => {
  const { campaign, event, redis } = await start(t);
  const text = 'Ünïcödé 💥 "quoted" \\ \u2028 \u0001 </script> {"shape":"x"}';
  await sql`insert into brands values (9007199254740993, ${text})`;
  await sql`insert into campaigns values (9007199254740993, 9007199254740993, ${text}, '')`;
  await sql`insert into events values
    (9223372036854775807, ${text}, ${'x'.repeat(100_000)}, '0001-01-01 00:00:00+00'),
    (9007199254740993, '', '', '9999-12-31 23:59:59.999999+00'),
    (9007199254740992, '', '', '1969-12-31 23:59:59.5+00')`;
  await sql`truncate cache_outbox`;
  const ids = ['9007199254740993', '9007199254740992', '9223372036854775807'];
  const read = async () => [await campaign.findByIds(ids, scope()), await event.findByIds(ids, scope())];
  const fresh = await read();
  const { answer: cached, sql: statements } = await counted({ database, redis }, read);
  t.equal(statements, 0, 'the second time is from Redis');
  t.strictSame(cached, fresh);
  t.strictSame(fresh[0]?.[0], { id: ids[0], brandId: ids[0], title: text, body: '' }, 'no digit is lost');
  t.match(fresh[1], [
    { startsAt: '9999-12-31T23:59:59.999999Z' },
    { startsAt: '1969-12-31T23:59:59.5Z' },
    { startsAt: '0001-01-01T00:00:00Z' },
  ]);
  for (const entity of [...fresh, ...cached].flat()) t.ok(entity === null || Object.isFrozen(entity), 'frozen');
});

t.test('what is asked for several times is one answer to audit', async (t) => {
  const samples: unknown[] = [];
  const audit: SelfAudit = {
    sample: (entity, ids, bodies, hits) => samples.push({ entity, ids, titles: bodies.map(titleOf), hits }),
    close: () => {},
  };
  const { campaign } = await repositories(t, await freshRedis(t), { audit });
  const ids = [...Array<string>(50).fill('7'), 'x', '8', '7'];
  for (const hits of [0, 2]) {
    await campaign.findByIds(ids, scope());
    t.same(samples.pop(), { entity: 'Campaign', ids: ['7', '8'], titles: ['Campaign 7', 'Campaign 8'], hits });
  }
});

t.test('findByRefs', async (t) => {
  const { redis, campaign } = await start(t);
  const count = <T>(action: () => Promise<T>) => counted({ database, redis }, action);
  const [one, two] = await Promise.all(
    ['11', '12'].map(async (id) => ({ id, version: await versionOf('campaigns', id) })),
  );
  if (one === undefined || two === undefined) throw new Error('no refs');

  const gone = { id: '999', version: '1' };
  const cold = await count(() => campaign.findByRefs([two, gone, one, two], scope()));
  t.same(
    cold.answer.map((found) => found?.id ?? null),
    ['12', null, '11', '12'],
    'in the order of the refs, null for a row that is gone, duplicates as often as asked for',
  );
  t.same([cold.sql, cold.mget], [1, 1]);
  const warm = await count(() => campaign.findByRefs([one, two], scope()));
  t.same([warm.sql, warm.mget], [0, 1], 'a body of the same version is used');

  await sql`update campaigns set title = 'Changed' where id = 11`;
  await sql`truncate cache_outbox`;
  const old = await count(() => campaign.findByRefs([one], scope()));
  t.same([old.answer[0]?.title, old.sql], ['Campaign 11', 0], 'as old as the list that named it');
  const current = { id: '11', version: await versionOf('campaigns', '11') };
  const stale = await count(() => campaign.findByRefs([current], scope()));
  t.same([stale.answer[0]?.title, stale.sql], ['Changed', 1], 'and as new: a body of another version is read again');
  const refilled = await count(() => campaign.findByRefs([current], scope()));
  t.same([refilled.answer[0]?.title, refilled.sql], ['Changed', 0], 'and replaced');

  const both = await count(() => campaign.findByRefs([one, current, one], scope()));
  t.same(
    both.answer.map((found) => found?.title),
    ['Changed', 'Changed', 'Changed'],
    'of two versions the newer counts',
  );
  t.equal(both.sql, 1);

  const request = scope();
  await campaign.findByRefs([two], request);
  const known = await count(() => campaign.findByRefs([two], request));
  t.same([known.sql, known.commands], [0, 0], 'what a request has read in that version is not read again');
  t.equal((await campaign.findByIds(['12'], request))[0]?.title, 'Campaign 12');
});

t.test('of two versions the newer counts, also when memory has the one and Redis the other', async (t) => {
  const redis = await freshRedis(t);
  const keys = openRedis(t, redis);
  const { campaign } = await repositories(t, redis, { memoryMaxEntries: 100 });
  const ref = async () => ({ id: '13', version: await versionOf('campaigns', '13') });
  const old = await ref();
  await campaign.findByRefs([old], scope());
  const body = (await keys.get('Campaign-13')) ?? '';
  await sql`update campaigns set title = 'Changed' where id = 13`;
  await sql`truncate cache_outbox`;
  const current = await ref();
  await campaign.findByRefs([current], scope());
  for (const refs of [
    [current, old],
    [old, current],
    [current, old, current],
  ]) {
    await keys.set('Campaign-13', body);
    const found = await campaign.findByRefs(refs, scope());
    t.same(
      found.map((one) => one?.title),
      refs.map(() => 'Changed'),
    );
  }
});

t.test('one SELECT for all who ask at once', async (t) => {
  const { redis, event } = await start(t);
  const ids = Array.from({ length: 50 }, (_, i) => String(i + 1));
  const { answer, sql } = await counted({ database, redis }, () =>
    Promise.all(Array.from({ length: 20 }, (_, i) => event.findByIds(ids.slice(i), scope()))),
  );
  t.equal(sql, 1);
  t.ok(answer.every((found, i) => found.every((entity, j) => entity?.id === ids[i + j])));
});

t.test('in Redis', async (t) => {
  const { keys, campaign, event } = await start(t);
  await campaign.findByIds(['1', '999'], scope());
  await event.findByRefs([{ id: '4', version: await versionOf('events', '4') }], scope());
  t.same((await keys.keys('*')).toSorted(), [
    'Campaign-1',
    'Campaign-999',
    'Event-4',
    'larder:domain',
    'larder:heartbeat',
  ]);
  const stored = JSON.parse((await keys.get('Campaign-1')) ?? '');
  t.match(stored, {
    shape: /^[0-9a-f]{12}$/,
    version: await versionOf('campaigns', '1'),
    entity: { id: '1', brandId: '2', title: 'Campaign 1', body: 'Body of campaign 1' },
  });
  t.match(JSON.parse((await keys.get('Event-4')) ?? ''), {
    entity: { id: '4', startsAt: '2026-01-01T00:00:00.000001Z' },
  });
  t.match(JSON.parse((await keys.get('Campaign-999')) ?? ''), { shape: stored.shape, version: null, entity: null });

  const within = (ms: number, low: number, high: number) => ms > low && ms <= high;
  t.ok(within(await keys.pttl('Campaign-1'), 265_000, 330_000), 'a body lives for five minutes, more or less');
  t.ok(within(await keys.pttl('Campaign-999'), 22_000, 33_000), 'the absence of one for half a minute');
  const all = Array.from({ length: 30 }, (_, i) => String(i + 1));
  await campaign.findByIds(all, scope());
  const expiries = await Promise.all(all.map((id) => keys.pexpiretime(`Campaign-${id}`)));
  t.ok(Math.max(...expiries) - Math.min(...expiries) > 10_000, 'and bodies filled together do not expire together');
});

t.test('a key that holds something else is a miss', async (t) => {
  const { redis, keys, campaign } = await start(t);
  await campaign.findById('8', scope());
  const good = (await keys.get('Campaign-8')) ?? '';
  const stored = JSON.parse(good);
  const with_ = (changes: object) => JSON.stringify({ ...stored, ...changes });
  const unfit: Record<string, string | Buffer> = {
    'the body of another shape': with_({ shape: '000000000000', entity: { id: '8', name: 'not a campaign' } }),
    'a body without a shape': JSON.stringify({ version: stored.version, entity: stored.entity }),
    'the entity alone': JSON.stringify(stored.entity),
    'a body cut off': good.slice(0, -5),
    'a body and more': `${good}x`,
    'no JSON': 'Campaign 8',
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
  const ref = { id: '8', version: await versionOf('campaigns', '8') };
  for (const [name, value] of Object.entries(unfit)) {
    for (const [way, read] of [
      ['by id', () => campaign.findByIds(['8', '9'], scope())],
      ['by ref', () => campaign.findByRefs([ref], scope())],
    ] as const) {
      await keys.set('Campaign-8', value);
      const { answer, sql } = await counted({ database, redis }, read);
      t.same([answer[0]?.title, sql], ['Campaign 8', 1], `${name}, ${way}`);
      t.match(JSON.parse((await keys.get('Campaign-8')) ?? 'null'), { entity: stored.entity }, 'and is replaced');
    }
    await keys.del('Campaign-9');
  }

  const types: Record<string, () => Promise<unknown>> = {
    list: () => keys.rpush('Campaign-8', good),
    hash: () => keys.hset('Campaign-8', 'entity', good),
    set: () => keys.sadd('Campaign-8', good),
    'sorted set': () => keys.zadd('Campaign-8', 1, good),
    stream: () => keys.xadd('Campaign-8', '*', 'entity', good),
  };
  for (const [name, make] of Object.entries(types)) {
    await keys.del('Campaign-8');
    await make();
    t.same(
      (await campaign.findByIds(['8', '9'], scope())).map((found) => found?.title),
      ['Campaign 8', 'Campaign 9'],
      name,
    );
    t.equal((await campaign.findByRefs([ref], scope()))[0]?.title, 'Campaign 8', `${name}, by ref`);
    t.match(JSON.parse((await keys.get('Campaign-8')) ?? 'null'), { entity: stored.entity }, 'and is replaced');
  }
});

t.test('a prefix keeps two Larders in one Redis apart', async (t) => {
  const redis = await freshRedis(t);
  const keys = openRedis(t, redis);
  const [a, b] = [await repositories(t, redis, { prefix: 'a:' }), await repositories(t, redis, { prefix: 'b:' })];
  await a.campaign.findByIds(['1', '999'], scope());
  await b.event.findById('2', scope());
  const entities = (await keys.keys('*')).filter((key) => !key.includes('larder:'));
  t.same(entities.toSorted(), ['a:Campaign-1', 'a:Campaign-999', 'b:Event-2']);
  t.ok(
    (await keys.keys('*')).every((key) => /^[ab]:/.test(key)),
    'no key is without',
  );
  await keys.copy('a:Campaign-1', 'Campaign-1');
  const { sql } = await counted({ database, redis }, () => b.campaign.findById('1', scope()));
  t.equal(sql, 1, "the other's bodies are not seen");
});

t.test('list', async (t) => {
  const { redis, event, campaign } = await start(t);
  const request = (more: Partial<PageRequest>): PageRequest => ({
    order: 'STARTS_AT',
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
    event.list(
      'ofCampaign',
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

  const none = await counted({ database, redis }, () => event.list('ofCampaign', [], scope()));
  t.same([none.answer, none.sql, none.commands], [[], 0, 0], 'no page costs nothing');
  await t.rejects(event.list('ofCampaign', [request({ parent: '1', order: 'TITLE' })], scope()), /no order TITLE/);
  await t.rejects(campaign.list('nope' as 'all', [request({ order: 'ID' })], scope()), /no list nope/);
});
