import { type Test, t } from 'tap';
import { EXAMPLE_QUERY } from '../../src/graphql/example-query.ts';
import { makeData } from '../support/data.ts';
import { startServer } from '../support/server.ts';
import { type BrowserOptions, openBrowser } from './browser.ts';

const SIZE = { brands: 2, campaigns: 12, events: 40, perCampaign: 5 };

/** Opens GraphiQL on a server with data, which answers what a developer's does. */
async function setUp(t: Test, env: Record<string, string> = {}, options: BrowserOptions = {}) {
  const development = { GRAPHIQL: 'true', INSPECT: 'header', INTROSPECTION: 'on' };
  const server = await startServer(t, { env: { ...development, ...env } });
  await makeData(server.sql, SIZE);
  const browser = await openBrowser(options);
  t.teardown(() => browser.close());
  const { page } = browser;
  await page.goto(`${server.url}/`);
  await page.locator('.graphiql-execute-button').waitFor();
  return {
    ...browser,
    figures: page.locator('.graphiql-footer'),
    /** The text of an editor, whose page holds only the lines that are in view. */
    textOf: (name: 'query-editor' | 'response') => page.evaluate<string>(`${editor(name)}.getValue()`),
    /** Clicks Execute and waits until the answer is in view. */
    execute: async () => {
      const answered = page.waitForResponse((response) => response.url().endsWith('/graphql'));
      await page.getByRole('button', { name: 'Execute query' }).click();
      await answered;
      // GraphiQL has emptied the pane by now.
      await page.waitForFunction(`${editor('response')}.getValue() !== ''`);
      await page.locator('.graphiql-response').getByText('"Campaign 1"').waitFor();
    },
    /** The browser asked no other host, and found nothing to complain about. */
    assertClean: (t: Test) => {
      const elsewhere = browser.requests.filter((url) => !url.startsWith(server.url) && !url.startsWith('data:'));
      t.strictSame(elsewhere, [], 'no request to another host');
      t.strictSame(browser.complaints, [], 'no error in the console, no violation of the policy');
      t.ok(browser.requests.includes(`${server.url}/graphiql/graphiql.min.js`), 'the requests were seen');
    },
  };
}

/** An editor of the page, as a script in it reaches it. */
function editor(name: 'query-editor' | 'response'): string {
  return `document.querySelector('.graphiql-${name} .CodeMirror').CodeMirror`;
}

t.test('the default tab holds the nested query, and running it shows the answer and its figures', async (t) => {
  const { page, figures, textOf, execute, assertClean } = await setUp(t);
  t.equal(new URL(page.url()).pathname, '/graphiql', '/ leads to /graphiql');
  t.equal(await textOf('query-editor'), EXAMPLE_QUERY);
  t.notOk(await figures.isVisible(), 'no figures before the first query');

  await execute();
  await figures.getByText('4 SQL statements').waitFor();
  await execute();
  await figures.getByText('2 SQL statements').waitFor();
  t.match(await figures.textContent(), /Campaign: 5 hits, 0 misses.*Event: \d+ hits, 0 misses/);
  const { data, extensions } = JSON.parse(await textOf('response'));
  t.equal(data.campaigns.nodes.length, 5);
  t.match(data.campaigns.nodes[4], {
    title: 'Campaign 5',
    events: { nodes: [{ title: /^Event/ }, { title: /^Event/ }] },
  });
  t.equal(extensions.dataFetching.sql.statements, 2);
  assertClean(t);
});

t.test('the documentation and the dialogs work, in the dark too', async (t) => {
  const { page, assertClean } = await setUp(t, {}, { colorScheme: 'dark' });
  const background = await page.evaluate(
    'getComputedStyle(document.querySelector(".graphiql-container")).backgroundColor',
  );
  t.match(background, /^(rgb|hsl)/);
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.locator('.graphiql-doc-explorer').getByText('Campaign', { exact: true }).click();
  await page.getByText('Something that a brand sells').waitFor();
  t.pass('the documentation shows the schema');
  for (const dialog of ['Open settings dialog', 'Open short keys dialog']) {
    await page.getByRole('button', { name: dialog }).click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    t.pass(dialog);
  }
  assertClean(t);
});

t.test('where the server shows no figures, the answer comes without them', async (t) => {
  const { figures, textOf, execute, assertClean } = await setUp(t, { INSPECT: 'off' });
  await execute();
  t.strictSame(Object.keys(JSON.parse(await textOf('response'))), ['data']);
  t.notOk(await figures.isVisible());
  assertClean(t);
});
