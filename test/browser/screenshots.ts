import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { openBrowser } from './browser.ts';

/** The pictures of README.md, taken of a running `make demo`: `npm run screenshots -- http://127.0.0.1:4000`. */
const url = process.argv[2] ?? 'http://127.0.0.1:4000';
const file = join(REPOSITORY, 'docs', 'graphiql.png');

const browser = await openBrowser();
try {
  const { page } = browser;
  await page.goto(`${url}/graphiql`);
  const figures = page.locator('.graphiql-footer');
  const execute = page.getByRole('button', { name: 'Execute query' });
  await execute.click();
  await figures.waitFor();
  // The first run may have filled the cache.
  await execute.click();
  await figures.getByText('2 SQL statements').waitFor();
  // Neither the pressed button nor a tooltip belongs into the picture.
  await page.mouse.move(640, 600);
  await page.evaluate('document.activeElement.blur()');
  await page.waitForTimeout(500);
  mkdirSync(join(REPOSITORY, 'docs'), { recursive: true });
  await page.screenshot({ path: file });
  console.log(file);
} finally {
  await browser.close();
}
