import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { t } from 'tap';
import { DatasetError } from '../../../src/app/data/csv-dataset.ts';
import { loadCsv } from '../../../src/app/data/load-csv.ts';
import { connect } from '../../support/connect.ts';
import { type CsvFiles, writeDataset } from '../../support/csv.ts';
import { freshDatabase } from '../../support/services.ts';

const GOOD = {
  brands: 'id,name\n1,Acme\n2,Brand\n',
  campaigns: 'id,brand_id,title,body\n1,1,One,"a\nb"\n2,2,Two,\n',
  events: 'id,title,body,starts_at\n1,One,"a\nb",2026-01-31T20:00:00Z\n2,Two,,2026-02-01T20:00:00Z\n',
  campaign_events: 'campaign_id,event_id\n1,1\n2,1\n2,2\n',
};

const SILENT = { replace: false, startProgress: () => ({ advance: () => {}, finish: () => {} }) };

interface BadRow {
  readonly what: string;
  readonly files: CsvFiles;
  readonly place: string;
  readonly message: RegExp;
}

/** An event of two lines in front, so that lines and rows are not the same. */
const event = (line: string): CsvFiles => ({
  events: `id,title,body,starts_at\n1,One,"a\nb",2026-01-31T20:00:00Z\n${line}\n`,
});

/** All that is wrong in the files on their own. */
const IN_FILES: BadRow[] = [
  {
    what: 'an id that is none',
    files: { brands: 'id,name\n1,Acme\n1e3,Brand\n' },
    place: 'brands.csv:3:1',
    message: /id "1e3" is not an id: expected a whole number from 1 to 9223372036854775807/,
  },
  {
    what: 'a time after a body of several lines, where the time is',
    files: event('2,Two,"one\ntwo\nthree",soon'),
    place: 'events.csv:6:8',
    message: /starts_at "soon" is not a time/,
  },
  {
    what: 'a missing column',
    files: event('2,Two,'),
    place: 'events.csv:4:7',
    message: /starts_at missing: expected id,title,body/,
  },
  {
    what: 'one column too many',
    files: event('2,Two,,2026-01-31T20:00:00Z,"x"'),
    place: 'events.csv:4:29',
    message: /too many.*"x"/,
  },
  { what: 'an empty line', files: event('\n'), place: 'events.csv:4:1', message: /the line is empty/ },
  {
    what: 'a wrong header',
    files: { brands: 'id,title\n1,x\n' },
    place: 'brands.csv:1:4',
    message: /the header must be id,name/,
  },
  {
    what: 'a short header',
    files: { brands: 'id\n1\n' },
    place: 'brands.csv:1:1',
    message: /the header must be id,name/,
  },
  { what: 'no header', files: { brands: '' }, place: 'brands.csv:1:1', message: /the file is empty.*id,name/ },
  {
    what: 'a NUL',
    files: event('2,Two,"a\0b",2026-01-31T20:00:00Z'),
    place: 'events.csv:4:7',
    message: /body "a\\u0000b" holds a NUL/,
  },
  {
    what: 'what is not UTF-8',
    files: { brands: Buffer.from('id,name\n1,Acme\n2,Gr\xf6\xdfe\n', 'latin1') },
    place: 'brands.csv:3:5',
    message: /not UTF-8/,
  },
  {
    what: 'an open quote',
    files: event('2,"Two,,2026-01-31T20:00:00Z'),
    place: 'events.csv:4:3',
    message: /never closed/,
  },
  {
    what: 'a lone quote',
    files: event('2,Tw"o,,2026-01-31T20:00:00Z'),
    place: 'events.csv:4:5',
    message: /write the quote inside twice/,
  },
];

/** All that is wrong only beside other rows. */
const IN_DATABASE: BadRow[] = [
  {
    what: 'an unknown brand',
    files: { campaigns: `${GOOD.campaigns}3,"99",Three,\n4,98,Four,\n` },
    place: 'campaigns.csv:5:3',
    message: /brand_id 99 is not in brands/,
  },
  {
    what: 'an unknown campaign',
    files: { campaign_events: `${GOOD.campaign_events}9223372036854775807,2\n` },
    place: 'campaign_events.csv:5:1',
    message: /campaign_id 9223372036854775807 is not in campaigns/,
  },
  {
    what: 'an unknown event',
    files: { campaign_events: `${GOOD.campaign_events}1,33\n` },
    place: 'campaign_events.csv:5:3',
    message: /event_id 33 is not in events/,
  },
  {
    what: 'a brand twice',
    files: { brands: `${GOOD.brands}1,Other\n` },
    place: 'brands.csv:4:1',
    message: /id 1 was there before/,
  },
  {
    what: 'a campaign twice',
    files: { campaigns: `${GOOD.campaigns}2,1,Other,\n` },
    place: 'campaigns.csv:5:1',
    message: /id 2 was there before/,
  },
  {
    what: 'an event twice',
    files: { events: `${GOOD.events}1,Other,,2026-01-31T20:00:00Z\n` },
    place: 'events.csv:5:1',
    message: /id 1 was there before/,
  },
  {
    what: 'a link twice',
    files: { campaign_events: `${GOOD.campaign_events}2,1\n2,2\n` },
    place: 'campaign_events.csv:5:1',
    message: /campaign_id, event_id 2, 1 was there before/,
  },
];

for (const { name, rows } of [
  { name: 'on its own', rows: IN_FILES },
  { name: 'beside others', rows: IN_DATABASE },
]) {
  t.test(`a row that is wrong ${name} is named, and nothing is loaded`, async (t) => {
    const { url } = await freshDatabase(t);
    const sql = connect(t, url);
    const root = t.testdir();
    for (const [i, { what, files, place, message }] of rows.entries()) {
      const directory = writeDataset(join(root, String(i)), { ...GOOD, ...files });
      const loading = loadCsv(url, directory, SILENT);
      const error = await loading.then(
        () => new Error('it was loaded'),
        (error: Error) => error,
      );
      t.match(error, { name: 'DatasetError', message }, `${what}: what`);
      t.equal(error.message.slice(0, error.message.indexOf(': ')), join(directory, place), `${what}: where`);
      const left = await sql`
        select from brands union all select from campaigns union all select from events union all select from campaign_events`;
      t.equal(left.length, 0, `${what}: nothing is loaded`);
    }
    const good = await loadCsv(url, writeDataset(join(root, 'good'), GOOD), SILENT);
    t.strictSame(good, { brands: 2, campaigns: 2, events: 2, campaign_events: 3 }, 'only the row is wrong each time');
  });
}

t.test('a missing file is named before anything is read', async (t) => {
  const directory = writeDataset(t.testdir(), GOOD);
  rmSync(join(directory, 'campaign_events.csv'));
  const path = join(directory, 'campaign_events.csv');
  const nowhere = 'postgres://nobody@127.0.0.1:1/none';
  await t.rejects(loadCsv(nowhere, directory, SILENT), new DatasetError(`There is no file ${path}.`));
  mkdirSync(path);
  await t.rejects(
    loadCsv(nowhere, directory, SILENT),
    new DatasetError(`There is no file ${path}.`),
    'but a directory',
  );
  await t.rejects(loadCsv(nowhere, '/nowhere', SILENT), { message: /^There is no file \/nowhere\/brands\.csv, nor / });
});
