import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { t } from 'tap';
import type { TextRow } from '../../src/app/data/copy.ts';
import { sampleDataset } from '../../src/app/data/sample.ts';
import { connect, values } from '../support/connect.ts';
import { toCsv, writeDataset } from '../support/csv.ts';
import { type CliResult, runCli } from '../support/run-cli.ts';
import { freshDatabase } from '../support/services.ts';

const SHARED_DATA = fileURLToPath(new URL('../../../shared/data', import.meta.url));

function load(url: string, ...args: string[]): Promise<CliResult> {
  return runCli('load', args, { DATABASE_URL: url });
}

t.test('loads a real amount of data', async (t) => {
  const { url } = await freshDatabase(t);
  const sql = connect(t, url);
  let directory = SHARED_DATA;
  if (!existsSync(directory)) {
    const sample = sampleDataset({ campaigns: 3300, events: 20_000, seed: 5 });
    const csv = (header: string, rows: unknown) => toCsv(header, rows as Iterable<TextRow>);
    directory = writeDataset(t.testdir(), {
      brands: csv('id,name', sample.brands),
      campaigns: csv('id,brand_id,title,body', sample.campaigns),
      events: csv('id,title,body,starts_at', sample.events),
      campaign_events: csv('campaign_id,event_id', sample.campaign_events),
    });
  }
  const { code, stderr } = await load(url, directory);
  t.equal(code, 0, stderr);

  const file = (name: string): string[][] => parse(readFileSync(join(directory, `${name}.csv`)), { from_line: 2 });
  const sorted = (rows: readonly (readonly unknown[])[]) => rows.map((row) => JSON.stringify(row)).sort();
  const same = (found: readonly (readonly unknown[])[], expected: readonly (readonly unknown[])[], what: string) =>
    // Compared before they are shown: a difference of sixty thousand lines helps nobody.
    t.ok(sorted(found).join('\n') === sorted(expected).join('\n') && found.length > 0, what);
  same(await values(sql`select id::text, name from brands`), file('brands'), 'brands');
  same(await values(sql`select id::text, brand_id::text, title, body from campaigns`), file('campaigns'), 'campaigns');
  const micros = (time: string) => `${time.slice(0, 19)}.${(time.slice(19).match(/\d+/)?.[0] ?? '').padEnd(6, '0')}Z`;
  same(
    await values(sql`
      select id::text, title, body, to_char(starts_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') from events`),
    file('events').map(([id, title, body, time = '']) => [id, title, body, micros(time)]),
    'events',
  );
  same(
    await values(sql`select campaign_id::text, event_id::text from campaign_events`),
    file('campaign_events'),
    'campaign_events',
  );
  const wrong = await sql`
    select from campaign_events l join events e on e.id = l.event_id where e.starts_at <> l.starts_at`;
  t.equal(wrong.length, 0, 'each link has the time of its event');
});

t.test('any text comes back as it was', async (t) => {
  const { url } = await freshDatabase(t);
  const sql = connect(t, url);
  const directory = t.testdir();
  const text = fc.oneof(
    fc.string({
      unit: fc.constantFrom('"', ',', '\n', '\r', '\t', '\\', 'N', '.', '\b', '\v', '\x7f', '\ufffd', 'é', '😀'),
    }),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom(
      '',
      ' ',
      '\\N',
      '\\.',
      '\n\\.\n',
      'NULL',
      '\ufeff',
      '\u2028',
      '\\x41',
      "'",
      '$1',
      ';--',
      '👩‍👩‍👧‍👦',
    ),
  );
  const property = fc.asyncProperty(
    fc.array(fc.tuple(text, text), { minLength: 50, maxLength: 300 }),
    async (texts) => {
      writeDataset(directory, {
        brands: toCsv(
          'id,name',
          texts.map(([name], i) => [String(i + 1), name]),
        ),
        campaigns: toCsv(
          'id,brand_id,title,body',
          texts.map(([title, body], i) => [String(i + 1), '1', title, body]),
        ),
        events: toCsv(
          'id,title,body,starts_at',
          texts.map(([title, body], i) => [String(i + 1), title, body, '2026-01-01T00:00:00Z']),
        ),
      });
      const { code, stderr } = await load(url, directory, '--replace');
      t.equal(code, 0, stderr);
      t.strictSame(
        await values(sql`select name from brands order by id`),
        texts.map(([name]) => [name]),
      );
      t.strictSame(await values(sql`select title, body from campaigns order by id`), texts);
      t.strictSame(await values(sql`select title, body from events order by id`), texts);
    },
  );
  // Each run starts a process; the texts of one are many instead. Shrinking would start hundreds.
  await fc.assert(property, { numRuns: 5, endOnFailure: true });
});
