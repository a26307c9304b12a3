import { inspect, isDeepStrictEqual } from 'node:util';
import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import fc from 'fast-check';
import postgres from 'postgres';
import { type Test, t } from 'tap';
import { nodeOf } from '../../src/pothos/shapes.ts';
import { createRepository } from '../../src/repository/cached-repository.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { type LarderProcess, openProcess } from '../stage/process.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { createThings, type Thing, thingColumns, thingDefinition, things } from './support/every-type.ts';

const database = await freshDatabase(t);
const redis = await freshRedis(t);
const sql = openSql(t, database);
await createThings(sql);
await sql`select cache_outbox_watch('things', 'Thing')`;
// The driver as Drizzle sets it up, for what it makes of the same rows.
const client = postgres(database.url, { max: 1, onnotice: () => {}, connection: { TimeZone: 'UTC' } });
t.teardown(() => client.end({ timeout: 5 }));
const orm = drizzle(client);

/** One that keeps bodies in memory, and one that has to ask Redis. */
const open = async (memoryMaxEntries: number) => {
  const process = await openProcess({ databaseUrl: database.url, redisUrl: redis.url, memoryMaxEntries });
  t.teardown(() => process.close());
  return { process, repository: createRepository(thingDefinition, process.storage) };
};
const [near, far] = [await open(1000), await open(0)];

const hits = ({ counts }: LarderProcess) => ({ all: counts().hits ?? 0, memory: counts().memoryHits ?? 0 });

/** What each tier answers, each of which is asked until it is the one that answered. */
async function readEverywhere(id: string): Promise<Record<'cold' | 'redis' | 'memory', Thing>> {
  const found: Partial<Record<'cold' | 'redis' | 'memory', Thing>> = {};
  const read = async (
    tier: 'cold' | 'redis' | 'memory',
    repository: Repository<Thing, 'all'>,
    process: LarderProcess,
  ) => {
    await until(`${tier} answers`, async () => {
      const before = hits(process);
      const scope = process.scope();
      const thing = await repository.findById(id, { ...scope, cold: tier === 'cold' });
      const after = hits(process);
      const from = after.memory > before.memory ? 'memory' : after.all > before.all ? 'redis' : 'cold';
      if (from === tier && thing !== null) found[tier] = thing;
      return from === tier && thing !== null;
    });
  };
  await read('cold', far.repository, far.process);
  await read('redis', far.repository, far.process);
  await read('memory', near.repository, near.process);
  return found as Record<'cold' | 'redis' | 'memory', Thing>;
}

function sameInEveryTier(t: Test, tiers: Record<string, Thing>): void {
  const [[, first] = ['', undefined], ...others] = Object.entries(tiers);
  for (const field of Object.keys(thingColumns()) as (keyof Thing)[]) {
    for (const [tier, thing] of others) {
      if (!isDeepStrictEqual(thing[field], first?.[field]))
        t.same(thing[field], first?.[field], `${field} from ${tier}`);
    }
    for (const [tier, thing] of Object.entries(tiers)) cannotBeChanged(t, thing, field, `${field} from ${tier}`);
  }
}

/** Frozen, or another one for each who reads it. */
function cannotBeChanged(t: Test, thing: Thing, field: keyof Thing, what: string): void {
  if (!Object.isFrozen(thing)) t.fail(`${what}: the entity is not frozen`);
  const value: unknown = thing[field];
  const isFrozen = (part: unknown): boolean =>
    typeof part !== 'object' || part === null || (Object.isFrozen(part) && Object.values(part).every(isFrozen));
  const mutable = [value].flat().some((part) => part instanceof Uint8Array || part instanceof Set);
  if (mutable) t.not(value, thing[field], `${what} is new for each reader`);
  else if (!isFrozen(value)) t.fail(`${what} is not frozen`);
  const dates = [value].flat().filter((part) => part instanceof Date);
  for (const date of dates) t.throws(() => date.setTime(0), { name: 'TypeError' }, `${what} keeps its time`);
}

/** Columns of a row as SQL, the value that they are read as, and whether Drizzle itself reads them otherwise: what is a text in json. */
const CASES: readonly (readonly [keyof Thing, sql: string, value: unknown, drizzleErs?: boolean])[] = [
  ['version', '7', 7],
  ['smallint', '-32768', -32768],
  ['integer', '2147483647', 2147483647],
  ['bigintNumber', '9007199254740991', 9007199254740991],
  ['bigintBigint', '9223372036854775807', 9223372036854775807n],
  ['bigintText', '9223372036854775807', '9223372036854775807'],
  ['numeric', '12345678901234567890.1230', '12345678901234567890.1230'],
  ['numeric', `'NaN'`, 'NaN'],
  ['numericNumber', '1.5', 1.5],
  ['numericNumber', `'NaN'`, Number.NaN],
  ['numericBigint', '123456789012345678901234567890', 123456789012345678901234567890n],
  ['real', '0.1', 0.1],
  ['real', `'-Infinity'`, Number.NEGATIVE_INFINITY],
  ['double', `'NaN'`, Number.NaN],
  ['double', `'Infinity'`, Number.POSITIVE_INFINITY],
  ['double', `'-0'`, -0],
  ['double', '5e-324', 5e-324],
  ['boolean', 'true', true],
  ['boolean', 'false', false],
  ['text', `'{"a":1}'`, '{"a":1}'],
  ['varchar', `'NULL'`, 'NULL'],
  ['char', `'ab'`, 'ab   '],
  ['uuid', `'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'`, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ['dateText', `'2026-02-28'`, '2026-02-28'],
  ['dateText', `'infinity'`, 'infinity'],
  ['dateDate', `'2026-02-28'`, new Date('2026-02-28')],
  ['time', `'23:59:59.999999'`, '23:59:59.999999'],
  ['timestampText', `'2026-01-02 03:04:05.000006'`, '2026-01-02 03:04:05.000006'],
  ['timestampDate', `'2026-01-02 03:04:05.678'`, new Date('2026-01-02T03:04:05.678Z')],
  ['timestamptzText', `'2026-01-02 03:04:05.000006+02'`, '2026-01-02 01:04:05.000006+00'],
  ['timestamptzDate', `'2026-01-02 03:04:05.678+02'`, new Date('2026-01-02T01:04:05.678Z')],
  ['interval', `'1 year 2 days 03:04:05.000006'`, '1 year 2 days 03:04:05.000006'],
  ['json', `'{"b": [1, {"c": null}], "a": "\\u00e9"}'`, { b: [1, { c: null }], a: 'é' }],
  ['json', `'-0'`, -0],
  ['json', `'null'`, null],
  ['json', `'"123"'`, '123', true],
  ['jsonb', `'{"__proto__": {"x": 1}}'`, JSON.parse('{"__proto__": {"x": 1}}')],
  ['jsonb', `'[1e400, -1e400, 12345678901234567890]'`, [Infinity, -Infinity, 12345678901234567000]],
  ['jsonb', `'"{}"'`, '{}', true],
  ['jsonb', `'false'`, false],
  ['mood', `'the "worst"'`, 'the "worst"'],
  ['inet', `'::1/64'`, '::1/64'],
  ['cidr', `'10.0.0.0/8'`, '10.0.0.0/8'],
  ['macaddr', `'08:00:2b:01:02:03'`, '08:00:2b:01:02:03'],
  ['macaddr8', `'08:00:2b:01:02:03:04:05'`, '08:00:2b:01:02:03:04:05'],
  ['point', `'(1.5,-2)'`, [1.5, -2]],
  ['pointXy', `'(1.5,-2)'`, { x: 1.5, y: -2 }],
  ['line', `'{1,2,3}'`, [1, 2, 3]],
  ['lineAbc', `'{1,2,3}'`, { a: 1, b: 2, c: 3 }],
  ['bit', `B'101'`, '101'],
  ['geometry', `'0101000000000000000000F03F0000000000000040'`, [1, 2]],
  ['vector', `'[1,2.5,-3]'`, [1, 2.5, -3]],
  ['bytea', `'\\x00ff7e'`, Buffer.from([0, 255, 126])],
  ['tags', `'a b'`, new Set(['a', 'b'])],
  ['settings', `'{"on": true}'`, { on: true, seen: true }],
  ['words', `array['a', null, 'NULL', 'b "c", \\d']`, ['a', null, 'NULL', 'b "c", \\d']],
  ['amounts', `'{1.50,-2}'`, [1.5, -2]],
  ['period', `'{2026-01-02 03:04:05+02,infinity}'`, '{"2026-01-02 01:04:05+00",infinity}'],
  ['positive', '3', 3],
  ['blob', `'\\x0102'`, Buffer.from([1, 2])],
  ['integers', `'[0:2]={1,NULL,-3}'`, [1, null, -3], true],
  ['booleans', `'{t,f,NULL}'`, [true, false, null]],
  ['doubles', `'{NaN,-Infinity,-0,0.1}'`, [Number.NaN, -Infinity, -0, 0.1]],
  ['bigints', `'{9223372036854775807}'`, [9223372036854775807n]],
  ['numerics', `'{1.10,NaN}'`, ['1.10', 'NaN']],
  ['texts', `array['', 'NULL', '{', '"', '\\', 'a,b', 'é\n']`, ['', 'NULL', '{', '"', '\\', 'a,b', 'é\n']],
  ['texts', `'{}'`, []],
  ['moods', `array['so, so', null]::mood[]`, ['so, so', null]],
  ['uuids', `'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'`, ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']],
  ['dates', `'{2026-02-28}'`, [new Date('2026-02-28')]],
  ['timestamps', `'{2026-01-02 03:04:05+00,NULL}'`, [new Date('2026-01-02T03:04:05Z'), null], true],
  ['jsonbs', `array['{"a": [1]}', '"x,\\"y"', null]::jsonb[]`, [{ a: [1] }, 'x,"y', null]],
  ['byteas', `array['\\x00', '\\x']::bytea[]`, [Buffer.from([0]), Buffer.from([])]],
  [
    'points',
    `array['(1,2)', '(3,4)']::point[]`,
    [
      [1, 2],
      [3, 4],
    ],
  ],
  [
    'nested',
    `'{{1,2},{3,NULL}}'`,
    [
      [1, 2],
      [3, null],
    ],
  ],
  [
    'nestedTexts',
    `array[array['a,"b', '}'], array['', null]]`,
    [
      ['a,"b', '}'],
      ['', null],
    ],
  ],
  ['timetz', `'23:59:59+05:30'`, '23:59:59+05:30'],
  ['halfvec', `'[1,2.5]'`, [1, 2.5]],
  ['sparsevec', `'{1:1,3:2.5}/5'`, '{1:1,3:2.5}/5'],
  ['intervalDays', `'2 days 03:04:05'`, '2 days 03:04:05'],
  ['oneOf', `'b'`, 'b'],
  ['generated', 'default', 3],
  ['smallints', `'{-1,NULL}'`, [-1, null]],
  ['bigintNumbers', `'{9007199254740991,-1}'`, [9007199254740991, -1]],
  ['numericNumbers', `'{1.5,NaN}'`, [1.5, Number.NaN]],
  ['numericBigints', `'{123456789012345678901234567890}'`, [123456789012345678901234567890n]],
  ['reals', `'{0.1,-Infinity,NaN}'`, [0.1, Number.NEGATIVE_INFINITY, Number.NaN]],
  ['varchars', `array['a,b', 'NULL', '']`, ['a,b', 'NULL', '']],
  ['chars', `array['a', 'abc']`, ['a  ', 'abc']],
  ['times', `'{23:59:59.5}'`, ['23:59:59.5']],
  ['intervals', `array['1 day 02:00:00', '-3 mons']::interval[]`, ['1 day 02:00:00', '-3 mons']],
  ['dateTexts', `'{2026-02-28,infinity,0044-03-15 BC}'`, ['2026-02-28', 'infinity', '0044-03-15 BC']],
  ['timestampTexts', `'{2026-01-02 03:04:05.000006,-infinity}'`, ['2026-01-02 03:04:05.000006', '-infinity']],
  ['timestamptzTexts', `'{2026-01-02 03:04:05.000006+02}'`, ['2026-01-02 01:04:05.000006+00']],
  ['timestampDates', `'{2026-01-02 03:04:05.678}'`, [new Date('2026-01-02T03:04:05.678Z')]],
  ['jsons', `array['{"a": "}"}', '-0', '[]']::json[]`, [{ a: '}' }, -0, []]],
  ['inets', `'{::1/64,10.0.0.1}'`, ['::1/64', '10.0.0.1']],
  ['bits', `'{101,000}'`, ['101', '000']],
  [
    'pointXys',
    `array['(1,2)', '(3.5,-4)']::point[]`,
    [
      { x: 1, y: 2 },
      { x: 3.5, y: -4 },
    ],
  ],
  ['lineTuples', `array['{1,2,3}']::line[]`, [[1, 2, 3]]],
  ['lineAbcs', `array['{1,2,3}']::line[]`, [{ a: 1, b: 2, c: 3 }]],
  ['manyTags', `'{a b,c}'`, [new Set(['a', 'b']), new Set(['c'])]],
  ['manySettings', `array['{"on": true}']::jsonb[]`, [{ on: true, seen: true }]],
  ['dateText', `'0044-03-15 BC'`, '0044-03-15 BC'],
  ['dateText', `'12345-01-01'`, '12345-01-01'],
  ['timestamptzText', `'infinity'`, 'infinity'],
  ['timestamptzText', `'0044-03-15 12:00:00+00 BC'`, '0044-03-15 12:00:00+00 BC'],
  ['timestamptzDate', `'12345-01-01 00:00:00+00'`, new Date('12345-01-01 00:00:00+00')],
  ['texts', `'{}'`, []],
  ['jsonb', `'{"toString": 1, "constructor": null}'`, { toString: 1, constructor: null }],
  ['json', `'{"a": 1, "a": 2}'`, { a: 2 }],
  ['moods', `'{}'`, []],
];

t.test('a column has one value, wherever it is read: that of the Drizzle column', async (t) => {
  const columns = thingColumns();
  const ids: string[] = [];
  for (const [field, text] of CASES) {
    const [row] = await sql.unsafe<{ id: string }[]>(
      `insert into things ("${columns[field]?.name}") values (${text}) returning id::text`,
    );
    ids.push(row?.id ?? '');
  }
  await database.drained();
  for (const [i, [field, text, value, drizzleErs]] of CASES.entries()) {
    await t.test(`${field} ${text}`, async (t) => {
      const tiers = await readEverywhere(ids[i] ?? '');
      t.ok(isDeepStrictEqual(tiers.cold[field], value), `as declared: ${inspect(tiers.cold[field])}`);
      sameInEveryTier(t, tiers);
      // Drizzle's driver takes NULL in an array for a text.
      if (drizzleErs === true || (Array.isArray(value) && /null/i.test(text))) return;
      const [own] = await orm
        .select({ value: things[field] })
        .from(things)
        .where(eq(things.id, ids[i] ?? ''));
      t.ok(isDeepStrictEqual(own?.value, value), `Drizzle itself reads ${inspect(own?.value)}`);
    });
  }
  const tested = new Set<string>(CASES.map(([field]) => field));
  t.same(
    Object.keys(columns).filter((field) => !tested.has(field)),
    ['id', 'serial', 'bigserial'],
  );
});

const text = fc.string({ unit: 'binary', maxLength: 12 }).map((value) => value.replaceAll('\0', ''));
const double = fc.double();
const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
// Drizzle takes a year below 100 for one of our time.
const moment = fc.date({ min: new Date('0100-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
const day = moment.map((value) => new Date(value.toISOString().slice(0, 10)));
// What Postgres' numbers have no word for, and what its text cannot hold.
const jsonValue = fc
  .jsonValue({ noUnicodeString: false })
  .filter((value) => value !== null && !JSON.stringify(value).includes('\\u0000'))
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const bytes = fc.uint8Array({ maxLength: 8 }).map((value) => Buffer.from(value));
const pair = fc
  .tuple(double, double)
  .filter((both) => both.every((part) => !Number.isNaN(part) && !Object.is(part, -0)));
const many = <T>(element: fc.Arbitrary<T>) => fc.array(element, { maxLength: 4 });
const grid = <T>(element: fc.Arbitrary<T>) =>
  fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }))
    .chain(([rows, length]) =>
      fc.array(fc.array(element, { minLength: length, maxLength: length }), { minLength: rows, maxLength: rows }),
    );
const moods = fc.constantFrom('fine' as const, 'so, so' as const, 'the "worst"' as const);

const values = fc.record<Partial<Thing>>(
  {
    version: int,
    smallint: fc.integer({ min: -32768, max: 32767 }),
    bigintNumber: fc.maxSafeInteger(),
    bigintBigint: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    numericNumber: double.filter((value) => !Object.is(value, -0)),
    numericBigint: fc.bigInt(),
    real: fc.float().map((value) => Math.fround(value)),
    double,
    boolean: fc.boolean(),
    text,
    uuid: fc.uuid(),
    dateDate: day,
    timestampDate: moment,
    timestamptzDate: moment,
    json: jsonValue,
    jsonb: jsonValue.map(withoutNegativeZero),
    mood: moods,
    point: pair,
    bytea: bytes,
    tags: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { minLength: 1 }).map((words) => new Set(words)),
    settings: fc.boolean().map((on) => ({ on, seen: true })),
    words: many(text),
    amounts: fc.array(fc.integer({ min: -99, max: 99 }), { minLength: 1, maxLength: 4 }),
    period: fc.constantFrom('{}', '{"2026-01-02 01:04:05+00"}'),
    positive: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    blob: bytes,
    integers: many(int),
    booleans: many(fc.boolean()),
    doubles: many(double),
    bigints: many(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    texts: many(text),
    moods: many(moods),
    dates: many(day),
    timestamps: many(moment),
    jsonbs: many(jsonValue.map(withoutNegativeZero)),
    byteas: many(bytes),
    points: many(pair),
    nested: grid(int),
    nestedTexts: grid(text),
  },
  { requiredKeys: [] },
);

/** A numeric, of which jsonb is made, has none. */
function withoutNegativeZero(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Postgres writes a real with as many digits as tell it from the next: those of a double are others. */
function read(field: string, thing: Partial<Thing>): unknown {
  const value = thing[field as keyof Thing];
  return field === 'real' && typeof value === 'number' ? Math.fround(value) : value;
}

t.test('a time that a Date cannot say is an invalid one, in every tier', async (t) => {
  const [row] = await sql<{ id: string }[]>`
    insert into things (date_date, timestamptz_date) values ('infinity', '0044-03-15 12:00:00+00 BC') returning id::text`;
  await database.drained();
  for (const [tier, { dateDate, timestamptzDate }] of Object.entries(await readEverywhere(row?.id ?? ''))) {
    for (const value of [dateDate, timestamptzDate]) t.ok(Number.isNaN(value?.getTime()), tier);
  }
});

t.test('what is written is read', async (t) => {
  await fc.assert(
    fc.asyncProperty(values, values, async (created, changed) => {
      const scope = near.process.scope();
      const written = await near.repository.create(created as Thing, scope);
      for (const [field, value] of Object.entries(created)) {
        const got = read(field, written);
        if (!isDeepStrictEqual(got, value)) t.fail(`${field}: ${inspect(value)} came back as ${inspect(got)}`);
      }
      sameInEveryTier(t, { returned: written, ...(await readEverywhere(written.id)) });
      if (Object.keys(changed).length === 0) return;
      const updated = await near.repository.update(written.id, changed, near.process.scope());
      if (updated === null) return t.fail('it is gone');
      const expected = { ...written, ...changed };
      for (const field of Object.keys(expected) as (keyof Thing)[]) {
        const [want, got] = [read(field, expected), read(field, updated)];
        if (!isDeepStrictEqual(got, want)) t.fail(`${field}: ${inspect(want)} came back as ${inspect(got)}`);
      }
      sameInEveryTier(t, { returned: updated, ...(await readEverywhere(updated.id)) });
    }),
    { numRuns: 60 },
  );
  t.pass('in every tier');
});

t.test('NULL is null, and what is not given is left to Postgres', async (t) => {
  const given = { text: null, json: null, texts: null, dateDate: null, bytea: null, integer: undefined };
  const thing = await near.repository.create(given as unknown as Thing, near.process.scope());
  t.match(thing, { text: null, json: null, texts: null, dateDate: null, bytea: null, integer: null, serial: Number });
  sameInEveryTier(t, { returned: thing, ...(await readEverywhere(thing.id)) });
  t.match(await near.repository.create({} as Thing, near.process.scope()), { id: /^\d+$/, serial: Number });
});

t.test('a GraphQL node shares nothing that can be changed', async (t) => {
  const { id } = await near.repository.create({ bytea: Buffer.from([1]), text: 'x' } as Thing, near.process.scope());
  const { memory } = await readEverywhere(id);
  const node = nodeOf('Thing', memory);
  t.match(node, { databaseId: id, text: 'x', bytea: Buffer.from([1]) });
  node.bytea?.fill(9);
  t.same(nodeOf('Thing', memory).bytea, Buffer.from([1]));
});

t.test('a page has the values that an id has', async (t) => {
  const { id } = await near.repository.create(
    { bytea: Buffer.from([1]), dates: [new Date(0)] } as Thing,
    near.process.scope(),
  );
  const needs = { rows: true, entities: true, positions: false, total: false, flags: false };
  const request = { order: 'ID', direction: 'DESC' as const, limit: 1, backward: false, needs };
  for (const { repository, process } of [far, far, near, near]) {
    const [page] = await repository.list('all', [request], process.scope());
    const [item] = page?.items ?? [];
    t.equal(item?.id, id);
    t.match(item?.entity, { bytea: Buffer.from([1]), dates: [new Date(0)] });
  }
});
