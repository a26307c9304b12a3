import fc from 'fast-check';
import { t } from 'tap';
import { problemOf } from '../../../src/app/data/column-text.ts';
import { connect } from '../../support/connect.ts';
import { freshDatabase } from '../../support/services.ts';

t.test('an id is what the database can give out', async (t) => {
  for (const text of ['1', '42', '9007199254740993', '9223372036854775807']) t.equal(problemOf('id', text), null, text);
  const wrong = [
    '',
    '0',
    '-3',
    '+3',
    '007',
    ' 3',
    '3 ',
    '1e3',
    '1.0',
    '0x1',
    '٣',
    '9223372036854775808',
    '1'.repeat(40),
  ];
  for (const text of wrong) t.match(problemOf('id', text), /^is not an id/, text);
});

t.test('a time has its zone, exists, and keeps all its digits', async (t) => {
  const right = [
    '2026-01-31T20:00:00Z',
    '2026-01-31T20:00:00.123456+01:00',
    '2026-01-31 20:00:00.5+05:30',
    '2026-01-31 20:00:00-0800',
    '2024-02-29 00:00:00+00',
    '0001-01-01T00:00:00Z',
    '0001-01-01T00:00:00-00:01',
    '0099-12-31T23:59:59Z',
    '9999-12-31T23:59:59.999999Z',
    '2026-01-31T20:00:00+15:59',
  ];
  const wrong = [
    '',
    'now',
    'infinity',
    'yesterday',
    '2026-01-31',
    '2026-01-31T20:00:00',
    '2026-01-31T20:00Z',
    '2026-01-31T20:00:00 Europe/Berlin',
    ' 2026-01-31T20:00:00Z',
    '2026-13-01T20:00:00Z',
    '2026-00-01T20:00:00Z',
    '2026-02-30T20:00:00Z',
    '2025-02-29T20:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T20:60:00Z',
    '2026-01-31T20:00:60Z',
    '2026-01-31T20:00:00.1234567Z',
    '2026-01-31T20:00:00.Z',
    '2026-01-31T20:00:00+16:00',
    '2026-01-31T20:00:00+01:60',
    '0000-12-31T23:59:59Z',
    '0001-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
    '31/01/2026 20:00:00Z',
  ];
  for (const text of right) t.equal(problemOf('time', text), null, text);
  for (const text of wrong) t.match(problemOf('time', text), /^is not a time with its zone/, text);
});

t.test('what passes, Postgres takes', async (t) => {
  const { url } = await freshDatabase(t);
  const sql = connect(t, url);
  const digits = (n: number, max: number) => fc.integer({ min: 0, max }).map((value) => String(value).padStart(n, '0'));
  const time = fc
    .tuple(
      fc.oneof(digits(4, 9999), fc.constantFrom('0000', '0001', '9999')),
      digits(2, 13),
      digits(2, 32),
      fc.constantFrom('T', ' '),
      digits(2, 25),
      digits(2, 61),
      digits(2, 61),
      fc.oneof(
        fc.constant(''),
        digits(6, 999_999).map((micros) => `.${micros}`),
      ),
      fc.oneof(
        fc.constantFrom('Z', '', '+00'),
        fc
          .tuple(fc.constantFrom('+', '-'), digits(2, 17), fc.constantFrom(':', ''), digits(2, 61))
          .map((parts) => parts.join('')),
      ),
    )
    .map(([y, mo, d, t, h, mi, s, us, zone]) => `${y}-${mo}-${d}${t}${h}:${mi}:${s}${us}${zone}`);
  const many = fc.sample(time, { numRuns: 20_000, seed: 1 }).filter((text) => problemOf('time', text) === null);
  t.ok(many.length > 1000, `${many.length} times`);
  await sql`
    insert into events (title, starts_at)
    select '', time::timestamptz from unnest(${many}::text[]) as time`;
  t.pass('each of them, and within the range that the table allows');
});
