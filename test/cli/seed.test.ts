import type { Sql } from 'postgres';
import { t } from 'tap';
import { seedDatabase } from '../../src/cli/seed.ts';
import { connect } from '../support/connect.ts';
import { runCli } from '../support/run-cli.ts';
import { freshDatabase } from '../support/services.ts';
import { until } from '../support/until.ts';

/** One hash over all that is in the tables. */
async function hash(sql: Sql): Promise<string> {
  const [row] = await sql<{ hash: string }[]>`
    select md5(string_agg(line, E'\n' order by line collate "C")) as hash
    from (
      select 'b' || b::text from brands b
      union all select 'c' || c::text from campaigns c
      union all select 'e' || e::text from events e
      union all select 'l' || l::text from campaign_events l
    ) rows (line)`;
  return row?.hash ?? '';
}

async function numbers(sql: Sql): Promise<Record<string, number>> {
  const [row] = await sql<Record<string, number>[]>`
    with per_campaign as (select count(*)::int as n from campaign_events group by campaign_id),
      per_event as (select event_id, count(*)::int as n from campaign_events group by event_id)
    select
      (select count(*)::int from brands) as brands,
      (select count(*)::int from campaigns) as campaigns,
      (select count(*)::int from events) as events,
      (select count(*)::int from campaign_events) as links,
      (select min(n) from per_event) as "fewestPerEvent",
      (select max(n) from per_event) as "mostPerEvent",
      (select count(*)::int from per_event) as "linkedEvents",
      (select max(n) from per_campaign) as "mostPerCampaign",
      (select percentile_disc(0.5) within group (order by n) from per_campaign) as "medianPerCampaign",
      (select count(*)::int from events where extract(microsecond from starts_at)::int % 1000 <> 0) as "withMicroseconds",
      (select count(*)::int from (
        select from campaign_events group by campaign_id, starts_at having count(*) > 1) ties) as "tiesInCampaigns",
      (select count(*)::int from campaign_events l join events e on e.id = l.event_id
        where e.starts_at <> l.starts_at) as "wrongTimes"`;
  return { ...row };
}

t.test('makes 500 campaigns and 5000 events unless told otherwise, spread as real data is', async (t) => {
  const { url } = await freshDatabase(t);
  const sql = connect(t, url);
  const { code, stderr } = await runCli('seed', [], { DATABASE_URL: url });
  t.equal(code, 0, stderr);
  t.match(stderr, /^Storing events: 5000 /m, 'shows the progress');
  const found = await numbers(sql);
  t.match(found, {
    brands: 20,
    campaigns: 500,
    events: 5000,
    linkedEvents: 5000,
    fewestPerEvent: 1,
    mostPerEvent: 3,
    wrongTimes: 0,
  });
  const { links = 0, mostPerCampaign = 0, medianPerCampaign = 0, withMicroseconds = 0, tiesInCampaigns = 0 } = found;
  t.ok(links > 5000 && links < 10_000, `${links} links`);
  t.ok(
    mostPerCampaign > 5 * medianPerCampaign,
    `${mostPerCampaign} in the largest campaign, ${medianPerCampaign} in the median`,
  );
  t.ok(withMicroseconds > 500, `${withMicroseconds} events at a microsecond`);
  t.ok(tiesInCampaigns > 100, `${tiesInCampaigns} ties`);
  t.strictSame(
    [...(await sql`insert into events (title, starts_at) values ('', now()) returning id::int`)],
    [{ id: 5001 }],
  );
});

t.test('the same seed makes the same rows, and another seed others', async (t) => {
  const { url } = await freshDatabase(t);
  const elsewhere = await freshDatabase(t);
  const seed = async (at: string, ...args: string[]) => {
    t.match(await runCli('seed', ['--campaigns=30', '--events=400', ...args], { DATABASE_URL: at }), { code: 0 });
    return hash(connect(t, at));
  };
  const first = await seed(url, '--seed=7');
  t.match(await numbers(connect(t, url)), { brands: 2, campaigns: 30, events: 400 });
  t.equal(await seed(elsewhere.url, '--seed=7'), first);
  t.not(await seed(elsewhere.url, '--seed=8', '--replace'), first);
});

t.test('makes as little as one likes', async (t) => {
  const { url } = await freshDatabase(t);
  const sql = connect(t, url);
  t.match(await runCli('seed', ['--campaigns=1', '--events=0'], { DATABASE_URL: url }), { code: 0 });
  t.match(await numbers(sql), { brands: 1, campaigns: 1, events: 0, links: 0 });
  t.match(await runCli('seed', ['--campaigns=1', '--events=12', '--replace'], { DATABASE_URL: url }), { code: 0 });
  t.match(await numbers(sql), { brands: 1, campaigns: 1, events: 12, links: 12 });
});

t.test('refuses to add to data', async (t) => {
  const { url } = await freshDatabase(t);
  const sql = connect(t, url);
  await sql`insert into brands (name) values ('mine')`;
  const refused = await runCli('seed', [], { DATABASE_URL: url });
  t.match(refused, { code: 1, stderr: /^The database holds data already \(in brands\).* add --replace\.\n$/ });
  await t.rejects(
    seedDatabase({ url, campaigns: 1, events: 1, seed: 7 }),
    { name: 'NotEmptyError' },
    'as the function too',
  );
  t.match(await numbers(sql), { brands: 1, campaigns: 0, events: 0 });
});

t.test('ended half way it leaves nothing, and starting again works', async (t) => {
  const args = ['--campaigns=100', '--events=20000'];
  const { url } = await freshDatabase(t);
  const sql = connect(t, url);
  // The links, which come last, wait for a lock that the test holds: nothing can be committed before the command is killed.
  await sql`
    create function hold() returns trigger language plpgsql as $$
    begin perform pg_advisory_xact_lock(4711); return null; end $$`;
  await sql`create trigger hold before insert on campaign_events for each statement execute function hold()`;
  await sql.begin(async (held) => {
    await held`select pg_advisory_xact_lock(4711)`;
    const onStderr = (stderr: string) => (stderr.includes('Storing events') ? ('SIGKILL' as const) : undefined);
    t.match(await runCli('seed', args, { DATABASE_URL: url }, onStderr), { code: null }, 'it was killed');
  });
  await until('its connection has ended', async () => {
    const rows = await sql`
      select from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;
    return rows.length === 0;
  });
  t.match(await numbers(sql), { brands: 0, campaigns: 0, events: 0, links: 0 });
  t.match(await runCli('seed', args, { DATABASE_URL: url }), { code: 0 });
});

t.test('explains itself, and refuses numbers that make no sense', async (t) => {
  t.match(await runCli('seed', ['--help'], {}), {
    code: 0,
    stdout: /--campaigns N.*--events M.*--seed S/s,
    stderr: '',
  });
  t.match(await runCli('seed', ['--events', '1e3'], { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }), {
    code: 2,
    stderr: /^--events 1e3: expected a whole number of at least 0\.\n\n.*npm run db:seed --/s,
  });
});
