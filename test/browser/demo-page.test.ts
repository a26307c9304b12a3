import { type Test, t } from 'tap';
import { assemble } from '../../src/app/assemble.ts';
import { readConfig } from '../../src/app/config.ts';
import { buildPage } from '../../src/cli/demo/build-page.ts';
import { servePage } from '../../src/cli/demo/page-plugin.ts';
import { makeData } from '../support/data.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
import { bearer, JWT_SECRET } from '../support/token.ts';
import { openBrowser } from './browser.ts';

const script = await buildPage();

/** A server with the page, as `make demo` starts one. */
async function servePageTo(t: Test, write: boolean) {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  await makeData(sql, { brands: 2, campaigns: 7, events: 20, perCampaign: 5 });
  // These rows brought their ids with them.
  await sql`select setval(pg_get_serial_sequence('events', 'id'), 20)`;
  const token = write ? bearer().authorization.replace('Bearer ', '') : null;
  const config = readConfig({
    ...{
      NODE_ENV: 'production',
      INSPECT: 'always',
      GRAPHIQL: 'true',
      LOG_LEVEL: 'silent',
      PORT: '0',
      METRICS_PORT: '0',
    },
    ...{ DATABASE_URL: database.url, REDIS_URL: redis.url, REDIS_TIMEOUT_MS: String(REDIS_PATIENCE_MS) },
    ...{ JWT_SECRET, MAX_EVENT_LOOP_DELAY_MS: '0' },
  });
  const extend = { script, token, databaseUrl: database.url };
  const server = await assemble(config, undefined, undefined, (app) => servePage(app, extend));
  t.teardown(() => server.close());
  return server;
}

/** The page in a browser. */
async function openPage(t: Test, write: boolean) {
  const server = await servePageTo(t, write);
  const browser = await openBrowser();
  t.teardown(() => browser.close());
  await browser.page.goto(`${server.url}/`);
  await browser.page.getByRole('article').first().waitFor();
  return { ...browser, server };
}

t.test('the demo’s page loads more, writes, and shows what each request cost', async (t) => {
  const { page, server, requests, complaints } = await openPage(t, true);
  const articles = page.getByRole('article');
  t.equal(await articles.count(), 4);
  await page.getByRole('button', { name: 'More campaigns' }).click();
  await articles.nth(6).waitFor();
  t.equal(await articles.count(), 7);
  await page.getByRole('button', { name: 'More campaigns' }).waitFor({ state: 'detached' });

  const first = articles.first();
  const entries = first.getByRole('listitem');
  t.equal(await entries.count(), 3);
  await first.getByRole('button', { name: 'More events' }).click();
  await entries.nth(4).waitFor();
  t.equal(await entries.count(), 5);

  await first.getByRole('button', { name: 'Add an event' }).click();
  await entries.nth(5).waitFor();
  t.match(await entries.nth(5).textContent(), /^Added at .*2099-01-01$/, '@appendEdge puts it at the end');

  const strip = page.getByRole('complementary', { name: 'Requests' });
  await strip.getByRole('listitem').nth(4).waitFor();
  const said = await strip.getByRole('listitem').allTextContents();
  t.equal(said.length, 5, 'five requests');
  for (const line of said) t.match(line, /^\w+\d+ SQL · \d+ MGET · .*cost \d+\/1000 · \d/);
  t.match(said[0], /^eventsAddMutation/, 'the latest first');
  t.strictSame(complaints, []);
  t.strictSame(
    requests.filter((url) => !url.startsWith(server.url) && !url.startsWith('data:')),
    [],
    'no request to another host',
  );
});

t.test('a row that SQL changes is new in the next list, and soon by its id', async (t) => {
  const { page, complaints } = await openPage(t, false);
  t.equal(await page.getByRole('button', { name: 'Add an event' }).count(), 0, 'without a token nothing is written');
  await page.getByRole('button', { name: 'Change a row by SQL' }).click();
  const lines = page.getByRole('region', { name: 'Freshness' }).getByRole('listitem');
  await lines.nth(2).waitFor();
  const [sql = '', list, byId] = await lines.allTextContents();
  const [, title = ''] = /^update campaigns set title = '(Changed at [\d:.]+)' where id = 1$/.exec(sql) ?? [];
  t.match(list, /^The list has it in the next request, after \d+ ms\.$/);
  t.match(byId, /^By its id it is new after \d+ ms\.$/);
  t.not(title, '');
  await page.getByRole('article').first().getByRole('heading', { name: title, exact: true }).waitFor();
  t.strictSame(complaints, []);
});

t.test('what is no campaign is not changed', async (t) => {
  const server = await servePageTo(t, false);
  const change = (body: string, type = 'application/json') =>
    fetch(`${server.url}/demo/change`, { method: 'POST', headers: { 'content-type': type }, body });
  t.equal((await change('{"id":"nothing"}')).status, 404);
  t.equal((await change('{}')).status, 400);
  t.equal((await change('{"id":"x"}', 'text/plain')).status, 415, 'a page of another origin cannot send JSON unasked');
});
