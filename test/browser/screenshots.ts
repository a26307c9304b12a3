import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { openBrowser } from './browser.ts';
import { takeDashboardPicture } from './dashboard/take-picture.ts';

const help = `Takes the pictures of README.md and docs, of a running \`make demo\`.

  TOKEN=… npm run screenshots -- http://127.0.0.1:4000 http://127.0.0.1:9464/metrics

The token is the one that the demo prints. Without it nothing is written, and so nothing invalidated on the dashboard.
`;

if (process.argv.includes('--help')) {
  process.stdout.write(help);
  process.exit();
}
const [url = 'http://127.0.0.1:4000', metricsUrl = 'http://127.0.0.1:9464/metrics'] = process.argv.slice(2);
const token = process.env.TOKEN || null;
const folder = join(REPOSITORY, 'docs');

/** How long the dashboard's picture watches the server. */
const DASHBOARD_SECONDS = 90;

/** Reads campaigns at two places, so that a cold run asks twice for their bodies. */
const REPEATING = `{
  campaigns(first: 5) {
    nodes {
      title
      brand { name }
      events(first: 2) {
        nodes { title campaigns(first: 2) { nodes { title } } }
      }
    }
  }
}`;

const browser = await openBrowser();
try {
  const { page } = browser;
  const { run, picture } = hands(page);
  mkdirSync(folder, { recursive: true });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto(`${url}/graphiql`);
  await page.getByRole('button', { name: 'Execute query' }).waitFor();

  await run('Run cold', '(0 %)');
  await run('Run warm', '(100 %)');
  await picture(page, 'graphiql.png');

  // Room for the whole of a plan, beside and below the two waterfalls.
  await page.setViewportSize({ width: 1344, height: 1560 });
  const editor = `document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror`;
  await page.evaluate(`${editor}.setValue(${JSON.stringify(REPEATING)})`);
  await run('Run warm', '(100 %)');
  await run('Run cold', 'Campaign.byIds ran 2 times');
  const cold = page.getByRole('region', { name: 'Cold run' });
  await cold.getByRole('button', { name: 'Campaign.byIds' }).first().click();
  await cold.getByRole('button', { name: 'Explain' }).click();
  await cold.getByLabel('Plan').waitFor();
  await picture(page.locator('.inspector'), 'inspector.png');

  const dashboard = join(folder, 'dashboard.png');
  const traffic = { url: `${url}/graphql`, token, seconds: DASHBOARD_SECONDS };
  await takeDashboardPicture(page, metricsUrl, traffic, dashboard);
  console.log(dashboard);
} finally {
  await browser.close();
}

function hands(page: Page) {
  return {
    /** Runs the query, which the page does several times, and waits for the figures. */
    run: async (button: string, figures: string) => {
      const sent = page.waitForResponse((response) => response.url().endsWith('/graphql'));
      await page.locator('.inspector-run[aria-disabled=false]', { hasText: button }).click();
      await sent;
      await page.locator('.inspector-run[aria-disabled=false]', { hasText: button }).waitFor();
      await page.locator('.inspector-status').getByText(figures).waitFor();
    },
    picture: async (what: Page | Locator, name: string) => {
      // Neither a button that was pressed nor a tooltip belongs into the picture.
      await page.mouse.move(640, 300);
      await page.evaluate('document.activeElement.blur()');
      await page.getByRole('tooltip').waitFor({ state: 'detached' });
      const path = join(folder, name);
      await what.screenshot({ path, animations: 'disabled' });
      console.log(path);
    },
  };
}
