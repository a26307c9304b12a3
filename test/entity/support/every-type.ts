import { type InferSelectModel, sql } from 'drizzle-orm';
import {
  bigint,
  bigserial,
  bit,
  boolean,
  char,
  cidr,
  customType,
  date,
  doublePrecision,
  geometry,
  halfvec,
  inet,
  integer,
  interval,
  json,
  jsonb,
  line,
  macaddr,
  macaddr8,
  numeric,
  pgEnum,
  pgTable,
  point,
  real,
  serial,
  smallint,
  sparsevec,
  text,
  time,
  timestamp,
  uuid,
  varchar,
  vector,
} from 'drizzle-orm/pg-core';
import type { Sql } from 'postgres';
import { bigintText } from '../../../src/postgres/column-types.ts';
import { entity } from '../../../src/repository/entity.ts';

export const mood = pgEnum('mood', ['fine', 'so, so', 'the "worst"']);

const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' });
/** A type of somebody's own whose values nobody can freeze. */
const tags = customType<{ data: Set<string>; driverData: string }>({
  dataType: () => 'text',
  fromDriver: (value) => new Set(value.split(' ')),
  toDriver: (value) => [...value].join(' '),
});
/** One that works on what the driver has made of json, in place. */
const settings = customType<{ data: { readonly on: boolean; readonly seen: boolean }; driverData: unknown }>({
  dataType: () => 'jsonb',
  fromDriver: (value) => Object.assign(value as { on: boolean }, { seen: true }),
  toDriver: ({ on }) => JSON.stringify({ on }),
});
const words = customType<{ data: readonly string[]; driverData: string[] }>({ dataType: () => 'text[]' });
/** Types over arrays that Drizzle has its driver leave as text. */
const amounts = customType<{ data: readonly number[]; driverData: string }>({
  dataType: () => 'numeric(6,2)[]',
  fromDriver: (value) => value.slice(1, -1).split(',').map(Number),
  toDriver: (value) => `{${value.join()}}`,
});
const period = customType<{ data: string }>({ dataType: () => 'timestamp with time zone[]' });
const positive = customType<{ data: number; driverData: number }>({ dataType: () => 'positive_int' });
const blob = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'blob' });

/** A table with a column of each type, all of which may be NULL. */
export const things = pgTable('things', {
  id: bigintText('id').primaryKey().generatedByDefaultAsIdentity(),
  // A field that anybody may have.
  version: integer('version'),
  smallint: smallint('smallint'),
  integer: integer('integer'),
  serial: serial('serial'),
  bigserial: bigserial('bigserial', { mode: 'number' }),
  bigintNumber: bigint('bigint_number', { mode: 'number' }),
  bigintBigint: bigint('bigint_bigint', { mode: 'bigint' }),
  bigintText: bigintText('bigint_text'),
  numeric: numeric('numeric'),
  numericNumber: numeric('numeric_number', { mode: 'number' }),
  numericBigint: numeric('numeric_bigint', { mode: 'bigint' }),
  real: real('real'),
  double: doublePrecision('double'),
  boolean: boolean('boolean'),
  text: text('text'),
  varchar: varchar('varchar', { length: 200 }),
  char: char('char', { length: 5 }),
  uuid: uuid('uuid'),
  dateText: date('date_text'),
  dateDate: date('date_date', { mode: 'date' }),
  time: time('time', { precision: 6 }),
  timestampText: timestamp('timestamp_text', { mode: 'string' }),
  timestampDate: timestamp('timestamp_date', { precision: 3 }),
  timestamptzText: timestamp('timestamptz_text', { mode: 'string', withTimezone: true, precision: 6 }),
  timestamptzDate: timestamp('timestamptz_date', { withTimezone: true }),
  interval: interval('interval'),
  json: json('json'),
  jsonb: jsonb('jsonb'),
  mood: mood('mood'),
  inet: inet('inet'),
  cidr: cidr('cidr'),
  macaddr: macaddr('macaddr'),
  macaddr8: macaddr8('macaddr8'),
  point: point('point'),
  pointXy: point('point_xy', { mode: 'xy' }),
  line: line('line'),
  lineAbc: line('line_abc', { mode: 'abc' }),
  bit: bit('bit', { dimensions: 3 }),
  // Of extensions that are not there: their columns are text, which is how the driver gives their values.
  geometry: geometry('geometry', { type: 'point' }),
  vector: vector('vector', { dimensions: 3 }),
  bytea: bytea('bytea'),
  tags: tags('tags'),
  settings: settings('settings'),
  words: words('words'),
  amounts: amounts('amounts'),
  period: period('period'),
  positive: positive('positive'),
  blob: blob('blob'),
  integers: integer('integers').array(),
  booleans: boolean('booleans').array(),
  doubles: doublePrecision('doubles').array(),
  bigints: bigint('bigints', { mode: 'bigint' }).array(),
  numerics: numeric('numerics').array(),
  texts: text('texts').array(),
  moods: mood('moods').array(),
  uuids: uuid('uuids').array(),
  dates: date('dates', { mode: 'date' }).array(),
  timestamps: timestamp('timestamps', { withTimezone: true }).array(),
  jsonbs: jsonb('jsonbs').array(),
  byteas: bytea('byteas').array(),
  points: point('points').array(),
  nested: integer('nested').array().array(),
  nestedTexts: text('nested_texts').array().array(),
  timetz: time('timetz', { withTimezone: true }),
  halfvec: halfvec('halfvec', { dimensions: 2 }),
  sparsevec: sparsevec('sparsevec', { dimensions: 5 }),
  intervalDays: interval('interval_days', { fields: 'day to second' }),
  oneOf: text('one_of', { enum: ['a', 'b'] }),
  generated: integer('generated').generatedAlwaysAs(sql`length('abc')`),
  smallints: smallint('smallints').array(),
  bigintNumbers: bigint('bigint_numbers', { mode: 'number' }).array(),
  numericNumbers: numeric('numeric_numbers', { mode: 'number' }).array(),
  numericBigints: numeric('numeric_bigints', { mode: 'bigint' }).array(),
  reals: real('reals').array(),
  varchars: varchar('varchars', { length: 9 }).array(),
  chars: char('chars', { length: 3 }).array(),
  times: time('times').array(),
  intervals: interval('intervals').array(),
  dateTexts: date('date_texts').array(),
  timestampTexts: timestamp('timestamp_texts', { mode: 'string' }).array(),
  timestamptzTexts: timestamp('timestamptz_texts', { mode: 'string', withTimezone: true }).array(),
  timestampDates: timestamp('timestamp_dates').array(),
  jsons: json('jsons').array(),
  inets: inet('inets').array(),
  bits: bit('bits', { dimensions: 3 }).array(),
  pointXys: point('point_xys', { mode: 'xy' }).array(),
  lineTuples: line('line_tuples').array(),
  lineAbcs: line('line_abcs', { mode: 'abc' }).array(),
  manyTags: tags('many_tags').array(),
  manySettings: settings('many_settings').array(),
});

/** A row of it. */
export type Thing = Readonly<InferSelectModel<typeof things>>;

/** How such rows are read and written. */
export const thingDefinition = entity(things).define('Thing');

/** What stands for the types that only extensions have. */
const STAND_INS: Record<string, string> = {
  'geometry(point)': 'text',
  'vector(3)': 'text',
  'halfvec(2)': 'text',
  'sparsevec(5)': 'text',
};

/**
 * Makes the table.
 *
 * @param sql where
 */
export async function createThings(sql: Sql): Promise<void> {
  await sql`create type mood as enum ('fine', 'so, so', 'the "worst"')`;
  await sql`create domain positive_int as int check (value > 0)`;
  await sql`create domain blob as bytea`;
  const columns = Object.values(thingColumns()).map(({ name, type }) => {
    if (name === 'id') return 'id bigint primary key generated by default as identity';
    if (name === 'generated') return `"generated" integer generated always as (length('abc')) stored`;
    return `"${name}" ${STAND_INS[type] ?? type}`;
  });
  await sql.unsafe(`create table things (${columns.join(', ')})`);
}

/** The columns of the table by field. */
export function thingColumns(): Record<string, { readonly name: string; readonly type: string }> {
  const fields = Object.keys(things).filter((field) => field !== 'enableRLS') as (keyof Thing)[];
  return Object.fromEntries(
    fields.map((field) => [field, { name: things[field].name, type: things[field].getSQLType() }]),
  );
}
