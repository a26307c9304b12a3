import type { Test } from 'tap';
import { makeData } from '../support/data.ts';
import { startServer } from '../support/server.ts';
import { type BrowserOptions, openBrowser } from './browser.ts';

/** What GraphiQL is opened with. */
export interface GraphiqlOptions extends BrowserOptions {
  /** Variables of the server's environment over those of these tests. */
  readonly env?: Readonly<Record<string, string>>;
}

const EDITORS = {
  query: '.graphiql-query-editor',
  headers: '.graphiql-editor-tool .graphiql-editor:last-child',
  response: '.graphiql-response',
};

type EditorName = keyof typeof EDITORS;

const SIZE = { brands: 2, campaigns: 12, events: 40, perCampaign: 5 };

/** GraphiQL, the inspector and the schema as a developer's server shows them. */
const ENV = { GRAPHIQL: 'true', INSPECT: 'header', INTROSPECTION: 'on', MAX_COST: '1000' };

/**
 * Opens GraphiQL on a fresh server with data, which answers what a developer's does.
 *
 * @param t the test that it is for
 * @param options what differs from that
 * @returns the browser, the server, and what one does on the page
 */
export async function openGraphiql(t: Test, options: GraphiqlOptions = {}) {
  const server = await startServer(t, { env: { ...ENV, ...options.env } });
  await makeData(server.sql, SIZE);
  // That the rows are new is told to the caches, and must not come between a run that fills them and a warm one.
  await server.database.drained();
  const browser = await openBrowser(options);
  t.teardown(() => browser.close());
  const { page } = browser;
  await page.goto(`${server.url}/`);
  await page.locator('.graphiql-execute-button').waitFor();
  return {
    ...browser,
    server,
    /** The text of an editor, whose page holds only the lines that are in view. */
    textOf: (name: EditorName) => page.evaluate<string>(`${editor(name)}.getValue()`),
    /** Writes into an editor over what is there. */
    write: (name: EditorName, text: string) => page.evaluate(`${editor(name)}.setValue(${JSON.stringify(text)})`),
    /** Writes a query and clicks a button, before GraphiQL has looked at what was written. */
    writeAndClick: (text: string, button: string) =>
      page.evaluate(`
        ${editor('query')}.setValue(${JSON.stringify(text)});
        [...document.querySelectorAll('button')].find(({ textContent }) => textContent === ${JSON.stringify(button)}).click();
      `),
    /** Clicks Execute and waits until the answer is in view. */
    execute: async () => {
      const answered = page.waitForResponse((response) => response.url().endsWith('/graphql'));
      await page.getByRole('button', { name: 'Execute query' }).click();
      const response = await answered;
      // GraphiQL has emptied the pane by now.
      await page.waitForFunction(`${editor('response')}.getValue() !== ''`);
      return response;
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
function editor(name: EditorName): string {
  return `document.querySelector('${EDITORS[name]} .CodeMirror').CodeMirror`;
}
