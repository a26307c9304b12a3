import {
  bit,
  char,
  customType,
  interval,
  numeric,
  type PgColumn,
  pgTable,
  serial,
  timestamp,
} from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { sqlType } from '../../src/postgres/sql-type.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const of = (type: string) => customType<{ data: string }>({ dataType: () => type })();

const columns = pgTable('columns', {
  serial: serial(),
  char: char({ length: 3 }),
  bit: bit({ dimensions: 3 }),
  numeric: numeric({ precision: 4, scale: 2 }),
  moment: timestamp({ precision: 1, withTimezone: true }),
  years: interval({ fields: 'year' }),
  seconds: interval({ fields: 'day to second', precision: 3 }),
  character: of('character(3)'),
  national: of('NATIONAL CHARACTER(3)'),
  nchar: of('nchar(3)'),
  chars: char({ length: 3 }).array(),
  customChars: of('char(3)[]'),
  customYears: of('interval year[3]'),
});

/** Values that a length or a precision would cut off. */
const CASES: (readonly [keyof typeof columns.$inferSelect, value: string])[] = [
  ['serial', '7'],
  ['char', 'USDX'],
  ['bit', '10110'],
  ['numeric', '12345.6789'],
  ['moment', '2026-01-01 00:00:00.123456+00'],
  ['years', '1 year 6 mons'],
  ['seconds', '1 year 00:00:01.123456'],
  ['character', 'USDX'],
  ['national', 'USDX'],
  ['nchar', 'USDX'],
  ['chars', '{USDX}'],
  ['customChars', '{USDX}'],
  ['customYears', '{"1 year 6 mons"}'],
];

t.test('a cast to the type of a column cuts nothing off', async (t) => {
  const sql = openSql(t, await freshDatabase(t));
  for (const [name, value] of CASES) {
    const column: PgColumn = columns[name];
    const [row] = await sql.unsafe(`select $1::text::${sqlType(column)}::text as same`, [value]);
    t.equal(row?.same, value, name);
  }
});
