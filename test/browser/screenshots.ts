import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { openBrowser } from './browser.ts';

/** The picture of README.md, taken of a running `make demo`: `npm run screenshots -- http://127.0.0.1:4000`. */
const url = process.argv[2] ?? 'http://127.0.0.1:4000';
const file = join(REPOSITORY, 'docs', 'graphiql.png');

const browser = await openBrowser();
try {
  const { page } = browser;
  await page.goto(`${url}/graphiql`);
  await page.locator('#inspector-toggle').click();
  const status = page.getByRole('status');
  await page.getByRole('button', { name: 'Run cold' }).click();
  await status.getByText('4 SQL').waitFor();
  await page.getByRole('button', { name: 'Run warm' }).click();
  await status.getByText('2 SQL').waitFor();
  // Neither the pressed button nor a tooltip belongs into the picture.
  await page.mouse.move(640, 300);
  await page.evaluate('document.activeElement.blur()');
  await page.waitForTimeout(500);
  mkdirSync(join(REPOSITORY, 'docs'), { recursive: true });
  await page.screenshot({ path: file });
  console.log(file);
} finally {
  await browser.close();
}
