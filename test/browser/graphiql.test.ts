import { t } from 'tap';
import { EXAMPLE_QUERY } from '../../src/app/example-query.ts';
import { openGraphiql } from './open-graphiql.ts';

t.test('the default tab holds the nested query, and running it shows the answer', async (t) => {
  const { page, textOf, execute, assertClean } = await openGraphiql(t);
  t.equal(new URL(page.url()).pathname, '/graphiql', '/ leads to /graphiql');
  t.equal(await textOf('query'), EXAMPLE_QUERY);

  await execute();
  const { data } = JSON.parse(await textOf('response'));
  t.equal(data.campaigns.nodes.length, 5);
  t.match(data.campaigns.nodes[4], {
    title: 'Campaign 5',
    events: { nodes: [{ title: /^Event/ }, { title: /^Event/ }] },
  });
  assertClean(t);
});

t.test('the history brings back what was run', async (t) => {
  const { page, textOf, write, execute, assertClean } = await openGraphiql(t);
  await execute();
  await write('query', '{ brands { totalCount } }');
  await execute();
  await page.getByRole('button', { name: 'Show History' }).click();
  const entries = page.locator('.graphiql-history-item');
  await entries.nth(1).waitFor();
  t.equal(await entries.count(), 2);
  await entries.last().getByRole('button').first().click();
  t.equal(await textOf('query'), EXAMPLE_QUERY);
  assertClean(t);
});

t.test('the documentation and the dialogs work, in the dark too', async (t) => {
  const { page, assertClean } = await openGraphiql(t, { colorScheme: 'dark' });
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
