import { join } from 'node:path';
import type { Sql } from 'postgres';
import { t } from 'tap';
import { connect, values } from '../support/connect.ts';
import { writeDataset } from '../support/csv.ts';
import { runCli } from '../support/run-cli.ts';
import { freshDatabase } from '../support/services.ts';

const TABLES = ['brands', 'campaigns', 'events', 'campaign_events'] as const;

const SMALL = {
  brands: 'id,name\n1,Acme\n7,"Größe, Inc."\n',
  campaigns: 'id,brand_id,title,body\n1,7,Spring,\n3,1,"Quotes ""inside""","two\nlines"\n',
  events:
    'id,title,body,starts_at\n' +
    '10,Opening,"a\r\nb\\N",2026-01-31T20:00:00.123456Z\n' +
    '11,Closing,\\.,2026-01-31 20:00:00.5+05:30\n',
  campaign_events: 'campaign_id,event_id\r\n1,10\r\n1,11\r\n3,10\r\n',
};

function load(url: string, ...args: string[]) {
  return runCli('load', args, { DATABASE_URL: url });
}

async function countRows(sql: Sql): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of TABLES) {
    const [row] = await sql<{ n: number }[]>`select count(*)::int as n from ${sql(table)}`;
    counts[table] = row?.n ?? 0;
  }
  return counts;
}

const EMPTY = { brands: 0, campaigns: 0, events: 0, campaign_events: 0 };

t.test('loads all four files and goes on from the highest id', async (t) => {
  const { url } = await freshDatabase(t);
  const sql = connect(t, url);
  const { code, stdout, stderr } = await load(url, writeDataset(t.testdir(), SMALL));
  t.equal(code, 0, stderr);
  t.equal(stdout, 'Loaded 2 brands, 2 campaigns, 2 events, 3 campaign_events.\n');
  t.match(stderr, /^Reading events\.csv .*^Storing campaign_events: 3 /ms, 'shows the progress');
  t.strictSame(await values(sql`select id::int, name from brands order by id`), [
    [1, 'Acme'],
    [7, 'Größe, Inc.'],
  ]);
  t.strictSame(await values(sql`select id::int, brand_id::int, title, body from campaigns order by id`), [
    [1, 7, 'Spring', ''],
    [3, 1, 'Quotes "inside"', 'two\nlines'],
  ]);
  t.strictSame(await values(sql`select id::int, title, body, starts_at::text from events order by id`), [
    [10, 'Opening', 'a\r\nb\\N', '2026-01-31 20:00:00.123456+00'],
    [11, 'Closing', '\\.', '2026-01-31 14:30:00.5+00'],
  ]);
  t.strictSame(
    await values(sql`select campaign_id::int, event_id::int, starts_at::text from campaign_events order by 1, 2`),
    [
      [1, 10, '2026-01-31 20:00:00.123456+00'],
      [1, 11, '2026-01-31 14:30:00.5+00'],
      [3, 10, '2026-01-31 20:00:00.123456+00'],
    ],
  );
  const [brand] = await sql`insert into brands (name) values ('next') returning id::int`;
  const [campaign] = await sql`insert into campaigns (brand_id, title) values (1, 'next') returning id::int`;
  const [event] = await sql`insert into events (title, starts_at) values ('next', now()) returning id::int`;
  t.strictSame([brand?.id, campaign?.id, event?.id], [8, 4, 12]);
});

t.test('loads files of headers alone, and ids then begin with 1', async (t) => {
  const { url } = await freshDatabase(t);
  const sql = connect(t, url);
  t.match(await load(url, writeDataset(t.testdir(), {})), { code: 0 });
  t.strictSame([...(await sql`insert into brands (name) values ('first') returning id::int`)], [{ id: 1 }]);
});

t.test('refuses to load over data, unless it is to replace it', async (t) => {
  const { url } = await freshDatabase(t);
  const sql = connect(t, url);
  await sql`insert into brands (id, name) values (5, 'mine')`;
  const directory = writeDataset(t.testdir(), SMALL);
  const refused = await load(url, directory);
  t.match(refused, {
    code: 1,
    stdout: '',
    stderr: /^The database holds data already \(in brands\).* add --replace\.\n$/,
  });
  t.strictSame(await countRows(sql), { ...EMPTY, brands: 1 });

  const broken = writeDataset(join(directory, 'broken'), { ...SMALL, campaign_events: 'campaign_id,event_id\n1,99\n' });
  t.match(await load(url, broken, '--replace'), { code: 1 });
  t.strictSame(await countRows(sql), { ...EMPTY, brands: 1 }, 'a failed replacement leaves what was there');

  t.match(await load(url, directory, '--replace'), { code: 0 });
  t.strictSame(await countRows(sql), { brands: 2, campaigns: 2, events: 2, campaign_events: 3 });
  t.match(await load(url, directory, '--replace'), { code: 0 }, 'as often as one likes');
});

t.test('names the place of a bad row, and loads nothing', async (t) => {
  const { url } = await freshDatabase(t);
  const sql = connect(t, url);
  for (const [i, { files, said }] of [
    {
      files: { events: `${SMALL.events}12,Late,"two\nlines",tomorrow\n` },
      said: 'events.csv:6:8: starts_at "tomorrow" is not a time with its zone',
    },
    {
      files: { campaign_events: `${SMALL.campaign_events}3,99\r\n` },
      said: 'campaign_events.csv:5:3: event_id 99 is not in events',
    },
  ].entries()) {
    const directory = writeDataset(join(t.testdirName, String(i)), { ...SMALL, ...files });
    const { code, stdout, stderr } = await load(url, directory);
    t.match({ code, stdout }, { code: 1, stdout: '' });
    const lines = stderr.split('\n').filter((line) => !/^(Reading|Storing) /.test(line));
    t.match(lines[0], `${directory}/${said}`);
    t.strictSame(lines.slice(1), ['Nothing was loaded. Correct the file, then load again.', ''], 'and no stack');
    t.strictSame(await countRows(sql), EMPTY);
  }
});

t.test('of two loads at once one is refused', async (t) => {
  const { url } = await freshDatabase(t);
  const sql = connect(t, url);
  const directory = writeDataset(t.testdir(), SMALL);
  const both = await Promise.all([load(url, directory), load(url, directory)]);
  t.strictSame(both.map(({ code }) => code).sort(), [0, 1]);
  t.match(both.find(({ code }) => code === 1)?.stderr, 'The database holds data already');
  t.strictSame(await countRows(sql), { brands: 2, campaigns: 2, events: 2, campaign_events: 3 });
});

t.test('explains itself, and says what to do next', async (t) => {
  t.match(await runCli('load', ['--help'], {}), {
    code: 0,
    stdout: /npm run db:load -- DIR.*id,brand_id,title,body/s,
    stderr: '',
  });
  t.match(await runCli('load', [], {}), { code: 2, stderr: /^Which directory\?.*npm run db:load -- DIR/s });
  t.match(await runCli('load', ['--force', 'a'], {}), { code: 2, stderr: /--force/ });

  const { url } = await freshDatabase(t);
  const sql = connect(t, url);
  const directory = writeDataset(t.testdir(), SMALL);
  await sql`drop table campaign_events, events`;
  t.match(await load(url, directory), { code: 1, stderr: /Migrate the database first: .*npm run db:migrate/ });
  const elsewhere = new URL(url);
  elsewhere.port = '1';
  t.match(await load(elsewhere.href, directory), { code: 1, stderr: /Postgres cannot be reached/ });
});
