import {
  boolean,
  customType,
  date,
  doublePrecision,
  integer,
  interval,
  numeric,
  type PgColumn,
  pgEnum,
  pgTable,
  primaryKey,
  text,
  time,
  timestamp,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core';
import fc from 'fast-check';
import { t } from 'tap';
import type { ListOptions } from '../../src/entity/define-list.ts';
import { listSource } from '../../src/entity/definition.ts';
import { listReader } from '../../src/lists/list.ts';
import type { PageQuery, Position } from '../../src/lists/page-request.ts';
import { isPosition } from '../../src/lists/position.ts';
import { openDatabase } from '../../src/postgres/client.ts';
import { decodeCursor, encodeCursor } from '../../src/pothos/cursor.ts';
import { entity } from '../../src/repository/entity.ts';
import { Trace } from '../../src/trace/trace.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const mood = pgEnum('Mood of all', ['sad', 'ok', 'happy', 'Ok']);

/** A type by a name that means one character where no length is given. */
const currency = customType<{ data: string }>({ dataType: () => 'character(3)' });

/** Columns of every type that is sorted by, which may be NULL. */
const values = () => ({
  parent: integer('parent').notNull(),
  rank: integer('rank').notNull(),
  ints: integer('ints'),
  texts: text('texts'),
  plain: text('plain'),
  lower: text('lower'),
  short: varchar('short', { length: 3 }),
  moods: mood('moods'),
  days: date('days', { mode: 'string' }),
  amounts: numeric('amounts'),
  scaled: numeric('scaled', { precision: 8, scale: 2 }),
  doubles: doublePrecision('doubles'),
  flags: boolean('flags'),
  stamps: timestamp('stamps', { mode: 'string' }),
  seconds: timestamp('seconds', { precision: 0, withTimezone: true, mode: 'string' }),
  millis: timestamp('millis', { precision: 3, mode: 'string' }),
  zoned: timestamp('zoned', { withTimezone: true, mode: 'string' }),
  times: time('times'),
  uuids: uuid('uuids'),
  years: interval('years', { fields: 'year' }),
  coins: currency('coins'),
});
type Columns = Readonly<Record<keyof ReturnType<typeof values>, PgColumn>>;

/** The same rows by keys of each kind. */
const tables = {
  by_int: pgTable('by_int', { id: integer('id').primaryKey(), ...values() }),
  by_uuid: pgTable('by_uuid', { id: uuid('id').primaryKey(), ...values() }),
  by_text: pgTable('by_text', { slug: text('slug').primaryKey(), ...values() }),
  by_pair: pgTable('by_pair', { a: text('a'), b: integer('b'), ...values() }, (table) => [
    primaryKey({ columns: [table.a, table.b] }),
  ]),
};
type TableName = keyof typeof tables;

const KEYS: Readonly<Record<TableName, readonly string[]>> = {
  by_int: ['id'],
  by_uuid: ['id'],
  by_text: ['slug'],
  by_pair: ['a', 'b'],
};

const PARENTS = 5;
const ROWS = 180;

/** Few values of each type, so that ties are many: of the ends of the types, and of what sorts otherwise than it is written. */
const SAMPLES: Readonly<Record<Exclude<keyof Columns, 'parent' | 'rank'>, readonly string[]>> = {
  ints: ['-2147483648', '-1', '0', '2147483647'],
  texts: ['a', 'B', 'b', 'ä', 'Z', '', 'a b', 'a,b', '"', '\\', '{}', '🎨'],
  plain: ['a', 'B', 'b', 'ä', 'Z', ''],
  lower: ['a', 'A', 'b', 'B'],
  short: ['a', 'ab', 'abc'],
  moods: ['sad', 'ok', 'happy', 'Ok'],
  days: ['infinity', '-infinity', '2026-02-28', '0044-03-15 BC', '12026-01-01', '2026-03-01'],
  amounts: ['1', '1.0', '1.00000000000000000001', '-1e40', 'NaN', '0.1', 'Infinity'],
  scaled: ['1.00', '1.01', '-999999.99'],
  doubles: ['0', '-0', '1e-300', '1.7976931348623157e308', 'NaN', '-Infinity', '0.1'],
  flags: ['t', 'f'],
  stamps: [
    'infinity',
    '2026-01-01 00:00:00.000001',
    '2026-01-01',
    '0044-03-15 01:02:03 BC',
    '12026-01-01 23:59:59.999999',
  ],
  seconds: ['2026-01-01 00:00:01+00', '2026-01-01 00:00:02+00'],
  millis: ['2026-01-01 00:00:00.001', '2026-01-01 00:00:00.01', '2026-01-01'],
  zoned: ['2026-01-01 00:00:00.1+00', '2026-01-01 00:00:00.100001+02', '-infinity', '1800-01-01+00'],
  times: ['00:00:00', '24:00:00', '23:59:59.999999'],
  uuids: ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  // A column of years keeps one of them, and is still compared with the other.
  years: ['1 year', '1 year 6 mons', '2 years'],
  coins: ['USD', 'UYU', 'U'],
};
const NULLABLE = Object.keys(SAMPLES) as (keyof typeof SAMPLES)[];

const database = await freshDatabase(t);
const sql = openSql(t, database);
const pool = openDatabase({ url: database.url, poolSize: 2, statementTimeoutMs: 60_000 });
t.teardown(() => pool.close());
// Without a collation of its own, and by bytes, and one that takes capitals and others for the same.
await sql.unsafe(`
  create type "Mood of all" as enum ('sad', 'ok', 'happy', 'Ok');
  create collation blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`);
const columns = `parent int not null, rank int not null, ints int, texts text, plain text collate "C", lower text collate blind,
  short varchar(3), moods "Mood of all", days date, amounts numeric, scaled numeric(8, 2), doubles float8, flags bool,
  stamps timestamp, seconds timestamptz(0), millis timestamp(3), zoned timestamptz, times time, uuids uuid, years interval year, coins character(3)`;
await sql.unsafe(`
  create table by_int (id int primary key, ${columns});
  create table by_uuid (id uuid primary key, ${columns});
  create table by_text (slug text primary key, ${columns});
  create table by_pair (a text, b int, ${columns}, primary key (a, b))`);
const picks = fc.sample(fc.array(fc.nat(1000), { minLength: NULLABLE.length + 2, maxLength: NULLABLE.length + 2 }), {
  numRuns: ROWS,
  seed: 22,
});
const literal = (value: string | number | null) =>
  value === null ? 'null' : `'${String(value).replaceAll("'", "''")}'`;
for (const [i, [parent = 0, rank = 0, ...row]] of picks.entries()) {
  const cells = NULLABLE.map((name, n) => {
    const of = SAMPLES[name];
    const pick = row[n] ?? 0;
    // A quarter is NULL.
    return pick % 4 === 0 ? null : (of[Math.floor(pick / 4) % of.length] as string);
  });
  const own = [1 + (parent % PARENTS), rank % 3, ...cells];
  const keys: Record<TableName, readonly (string | number)[]> = {
    by_int: [i * 7 - 500],
    by_uuid: [`${String((i * 7919) % 10_000).padStart(8, '0')}-0000-4000-8000-000000000000`],
    by_text: [`${['x', ':', ',', '%', ' ', '/', 'Ä', "'"][i % 8]}${i}`],
    by_pair: [['a', 'a,b', '%2C'][i % 3] as string, i],
  };
  for (const [table, key] of Object.entries(keys)) {
    await sql.unsafe(`insert into ${table} values (${[...key, ...own].map(literal).join(', ')})`);
  }
}

interface Term {
  readonly column: keyof typeof SAMPLES | 'rank';
  readonly desc: boolean;
  readonly nulls: 'first' | 'last' | null;
}

interface FilterPlan {
  readonly column: keyof typeof SAMPLES;
  readonly operator: 'eq' | 'in' | 'gt' | 'gte' | 'lt' | 'lte' | 'isNull';
  readonly pick: number;
}

const term: fc.Arbitrary<Term> = fc.record({
  column: fc.constantFrom(...NULLABLE, 'rank' as const),
  desc: fc.boolean(),
  nulls: fc.constantFrom('first' as const, 'last' as const, null),
});

const filter: fc.Arbitrary<FilterPlan> = fc.record({
  column: fc.constantFrom('ints', 'texts', 'moods', 'days', 'amounts', 'scaled', 'zoned', 'uuids', 'years', 'coins'),
  operator: fc.constantFrom('eq', 'in', 'gt', 'gte', 'lt', 'lte', 'isNull'),
  pick: fc.nat(1000),
});

const plan = fc.record({
  table: fc.constantFrom(...(Object.keys(tables) as TableName[])),
  terms: fc.uniqueArray(term, { maxLength: 3, selector: ({ column }) => column }),
  filters: fc.array(filter, { maxLength: 2 }),
  filtersOrder: fc.boolean(),
  direction: fc.constantFrom('ASC' as const, 'DESC' as const),
  backward: fc.boolean(),
  sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
  bodies: fc.boolean(),
});

const sampleOf = ({ column, pick }: FilterPlan): string => SAMPLES[column][pick % SAMPLES[column].length] as string;

/** The filter as its list declares it, the value that it is given, and what SQL says of it. */
function filterOf(plan: FilterPlan, of: Columns) {
  const { column, operator } = plan;
  const value = sampleOf(plan);
  const cast = `'${value.replaceAll("'", "''")}'::${{ moods: '"Mood of all"' }[column as string] ?? of[column].getSQLType()}`;
  const comparison = { eq: '=', gt: '>', gte: '>=', lt: '<', lte: '<=' }[operator as 'eq'];
  const isNull = plan.pick % 2 === 0;
  const where =
    operator === 'isNull'
      ? `${column} is ${isNull ? '' : 'not '}null`
      : `${column} ${comparison ?? '='} ${cast.replace('numeric(8, 2)', 'numeric').replace('interval year', 'interval')}`;
  const given =
    operator === 'isNull' ? String(isNull) : operator === 'in' ? `{"${value.replace(/[\\"]/g, '\\$&')}"}` : value;
  return { declared: { [operator]: of[column] }, given, where };
}

/** Runs a property; a failure shows the seed and the smallest example. */
t.test('a walk meets each row once, in the order of SQL, whatever the list is sorted by', async (t) => {
  const failures: string[] = [];
  const expectSame = (actual: unknown, expected: unknown, what: string) => {
    const [got, wanted] = [actual, expected].map((value) => JSON.stringify(value));
    if (got !== wanted) throw new Error(`${what}: expected ${wanted}, got ${got}`);
  };
  const property = fc.asyncProperty(
    plan,
    async ({ table, terms, filters, filtersOrder, direction, backward, sizes, bodies }) => {
      const of = tables[table] as unknown as Columns;
      const [first] = terms;
      // Filters of the column that is sorted by bound the same index range as the cursor does.
      const planned = filters.map((one): FilterPlan => {
        const own = first?.column;
        return filtersOrder && own !== undefined && own !== 'rank' ? { ...one, column: own } : one;
      });
      const placed = planned.map((one, i) => ({ name: `f${i}`, ...filterOf(one, of) }));
      const orders = {
        X: terms.map(({ column, desc, nulls }) => {
          const place = nulls === null ? {} : { nulls };
          return desc ? { desc: of[column], ...place } : { asc: of[column], ...place };
        }),
      };
      const list: ListOptions = {
        parent: of.parent,
        orders,
        filters: Object.fromEntries(placed.map(({ name, declared }) => [name, declared])),
      };
      const definition = entity(tables[table], { lists: { walked: list as never } }).define('Thing');
      const source = listSource(definition, 'walked');
      const read = listReader(pool, source);
      const lastDesc = terms.at(-1)?.desc ?? false;
      const flip = (desc: boolean) => (desc !== (direction === 'DESC') ? 'desc' : 'asc');
      const by = [
        ...terms.map(({ column, desc, nulls }) => {
          const first = (nulls === null ? desc : nulls === 'first') !== (direction === 'DESC');
          return `${column} ${flip(desc)} nulls ${first ? 'first' : 'last'}`;
        }),
        ...KEYS[table].map((column) => `${column} ${flip(lastDesc)}`),
      ].join(', ');
      const key =
        table === 'by_pair' ? `replace(replace(a, '%', '%25'), ',', '%2C') || ',' || b` : `${KEYS[table][0]}::text`;
      const wheres = placed.map(({ where }) => ` and ${where}`).join('');
      const parents = Array.from({ length: PARENTS }, (_, i) => String(i + 1));
      const expected: string[][] = [];
      for (const parent of parents) {
        const rows = await sql.unsafe(
          `select ${key} as named from ${table} where parent = ${parent}${wheres} order by ${by}`,
        );
        expected.push(rows.map(({ named }) => named as string));
      }
      const given = placed.map(({ name, given: text }) => [name, text] as const);
      const walks = parents.map((parent, i) => ({
        parent,
        all: expected[i] ?? [],
        met: [] as string[],
        at: undefined as Position | undefined,
        done: false,
      }));
      for (let step = 0; walks.some(({ done }) => !done); step += 1) {
        if (step > ROWS) throw new Error('The walk does not end.');
        const under = walks.filter(({ done }) => !done);
        const requests = under.map(
          ({ parent, at }, i): PageQuery => ({
            parent,
            ...{ order: 'X', direction, backward, limit: sizes[(step + i) % sizes.length] as number },
            ...(at === undefined ? {} : { [backward ? 'before' : 'after']: at }),
            ...(given.length === 0 ? {} : { filters: given }),
            needs: { rows: true, entities: false, positions: true, total: step === 0, flags: true, bodies },
          }),
        );
        const trace = new Trace();
        const pages = await read(requests, trace);
        expectSame(trace.sql.statements, 1, 'statements of all parents');
        for (const [i, walk] of under.entries()) {
          const page = pages[i];
          if (page === undefined) throw new Error('There is no page.');
          const ids = page.refs.map(({ id }) => id);
          const left = walk.all.length - walk.met.length;
          const size = (requests[i] as PageQuery).limit;
          const wanted = backward
            ? walk.all.slice(Math.max(0, left - size), left)
            : walk.all.slice(walk.met.length).slice(0, size);
          expectSame(ids, wanted, 'a page');
          if (backward) walk.met.unshift(...ids);
          else walk.met.push(...ids);
          const more = walk.met.length < walk.all.length;
          const behind = walk.at !== undefined;
          expectSame(
            [page.hasNext, page.hasPrevious],
            backward ? [behind, more] : [more, behind],
            'what lies around the page',
          );
          if (step === 0) expectSame(page.total, walk.all.length, 'the count');
          walk.done = !more;
          const edge = backward ? 0 : ids.length - 1;
          if (walk.done || page.keys === null) continue;
          const cursor = encodeCursor('Thing.walked', 'X', { key: page.keys[edge] ?? null, id: ids[edge] as string });
          const position = decodeCursor(cursor, 'Thing.walked', 'X');
          if (position === null || !isPosition(source.key, source.orders.X, position)) {
            throw new Error(`A cursor of ours is none: ${Buffer.from(cursor, 'base64')}`);
          }
          walk.at = position;
        }
      }
      for (const { met, all } of walks) expectSame(met, all, 'the walk');
      // Between any two places of the longest list, from either side.
      const [longest] = [...walks].sort((a, b) => b.all.length - a.all.length);
      if (longest === undefined || longest.all.length < 3) return;
      const [whole] = await read(
        [
          {
            ...{ parent: longest.parent, order: 'X', direction, backward: false, limit: 100 },
            ...(given.length === 0 ? {} : { filters: given }),
            needs: { rows: true, entities: false, positions: true, total: false, flags: false },
          },
        ],
        new Trace(),
      );
      const places = longest.all.map((id, i): Position => ({ key: whole?.keys?.[i] ?? null, id }));
      const [from, to] = [Math.floor(places.length / 4), Math.floor((places.length * 3) / 4)];
      const limit = sizes[0] as number;
      const between = {
        parent: longest.parent,
        order: 'X',
        direction,
        limit,
        after: places[from],
        before: places[to],
        ...(given.length === 0 ? {} : { filters: given }),
        needs: { rows: true, entities: false, positions: false, total: false, flags: true },
      };
      const [forward, back] = await read([{ ...between, backward: false }], new Trace()).then(async ([one]) => [
        one,
        (await read([{ ...between, backward: true }], new Trace()))[0],
      ]);
      const inside = longest.all.slice(from + 1, to);
      expectSame(
        forward?.refs.map(({ id }) => id),
        inside.slice(0, limit),
        'the first between two places',
      );
      expectSame(
        back?.refs.map(({ id }) => id),
        inside.slice(Math.max(0, inside.length - limit)),
        'the last between them',
      );
      expectSame(
        [forward?.hasNext, forward?.hasPrevious, back?.hasNext, back?.hasPrevious],
        [true, true, true, true],
        'both are there',
      );
    },
  );
  try {
    await fc.assert(property, { numRuns: 250, includeErrorInReport: true });
  } catch (error) {
    failures.push((error as Error).message);
  }
  t.same(failures, []);
});
