import { createHmac } from 'node:crypto';
import type { Locator, Page } from 'playwright-core';
import { type Test, t } from 'tap';
import { globalId } from '../support/data.ts';
import { counted, LASTING } from '../support/server.ts';
import { coloursOf, contrast } from './contrast.ts';
import { type GraphiqlOptions, openGraphiql } from './open-graphiql.ts';

const DEVELOPMENT = { NODE_ENV: 'development' };

/** A query that reads campaigns at three places, so that a cold run has to ask for their bodies thrice. */
const REPEATING = `{
  missing: node(id: "${globalId('Campaign', 99)}") { id }
  campaigns(first: 3) { nodes { title events(first: 2) { nodes { campaigns(first: 2) { nodes { title } } } } } }
}`;

/** Opens the page, with names for the parts of the inspector. */
async function setUp(t: Test, options: GraphiqlOptions = {}) {
  const opened = await openGraphiql(t, options);
  const { page } = opened;
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  return {
    ...opened,
    button,
    strip: page.locator('.inspector-strip'),
    status: page.locator('.inspector-status'),
    panel: page.locator('.inspector-panel'),
    /** One of the runs that are side by side. */
    column: (title: string) => columnOf(page, title),
    /** Clicks one of the two buttons and waits until its run is over and in view. */
    run: async (name: 'Run cold' | 'Run warm') => {
      await button(name).click();
      // A run of the same name may be in view since before.
      await page.locator('.inspector-run[aria-disabled="false"]').first().waitFor();
      await columnOf(page, name === 'Run cold' ? 'Cold run' : 'Warm run').root.waitFor();
    },
  };
}

function columnOf(page: Page, title: string) {
  const root = page.getByRole('region', { name: title, exact: true });
  const tables = root.getByRole('table');
  return {
    root,
    /** What the rows of the waterfall say, cell by cell. */
    events: () => cells(tables.first()),
    /** The counts of an entity by the names of their columns. */
    entity: async (name: string) => {
      const [heads = [], ...rows] = await cells(tables.last(), 'tr');
      const row = rows.find(([first]) => first === name) ?? [];
      return Object.fromEntries(heads.map((head, i) => [head, row[i]]));
    },
  };
}

async function cells(table: Locator, rows = 'tbody tr'): Promise<string[][]> {
  const found = await table.locator(rows).all();
  return Promise.all(found.map((row) => row.locator('th, td').allTextContents()));
}

const nameOf = ([, name = '']: readonly string[]) => name;

t.test('a cold run stands beside a warm one, and both tell what Postgres and Redis counted', async (t) => {
  // Without a memory of its own, the server asks Redis even when it is warm.
  const { page, server, requests, status, column, run, textOf, assertClean } = await setUp(t, {
    env: { MEMORY_MAX_ENTRIES: '0' },
  });
  const sent = () => requests.filter((url) => url.endsWith('/graphql')).length;
  t.equal(await status.textContent(), 'No query has run yet.');
  t.equal(await status.getAttribute('role'), 'status');

  let before = sent();
  const cold = await counted(server, () => run('Run cold'));
  t.equal(sent(), before + 13, 'three runs make the document ready, and ten are timed');
  t.match(await status.textContent(), /^4 SQL · 0 MGET · 0\/\d+ hits \(0 %\) · cost \d+\/1000 · \d+(\.\d+)? ms$/);
  t.equal(cold.sql, 13 * 4, 'Postgres counted as many');
  t.equal(cold.commands, 0, 'Redis was not asked');
  t.strictSame((await column('Cold run').events()).map(nameOf), [
    'Campaign.all',
    'Campaign.byIds',
    'Event.ofCampaign',
    'Event.byIds',
  ]);
  const events = /\/(\d+) hits/.exec((await status.textContent()) ?? '')?.[1];
  t.match(await column('Cold run').entity('Campaign'), {
    Missed: '5',
    Bypassed: /^5\s*run cold$/,
    'Hit in Redis': '0',
  });
  t.match(await column('Cold run').entity('Event'), { Missed: String(Number(events) - 5) });

  await run('Run warm');
  t.match(
    await column('Warm run').root.textContent(),
    /A run before it, not shown, missed \d+ and filled the caches\./,
  );
  before = sent();
  const warm = await counted(server, () => run('Run warm'));
  t.equal(sent(), before + 13);
  t.equal(
    await status.textContent().then((text) => text?.replace(/\d+(\.\d+)? ms$/, 'n ms')),
    `2 SQL · 2 MGET · ${events}/${events} hits (100 %) · cost 21/1000 · n ms`,
  );
  t.equal(warm.sql, 13 * 2, 'Postgres counted as many');
  t.equal(warm.mget, 13 * 2, 'Redis counted as many');
  const rows = await column('Warm run').events();
  t.strictSame(rows.filter(([kind]) => kind === 'SQL').map(nameOf), ['Campaign.all', 'Event.ofCampaign'], 'no body');
  t.strictSame(rows.filter(([kind]) => kind === 'Redis').map(nameOf), [
    'MGET, 5 keys',
    `MGET, ${Number(events) - 5} keys`,
  ]);
  t.strictSame(
    rows.map((row) => row[4]),
    ['–', '5/5', '–', `${Number(events) - 5}/${Number(events) - 5}`],
    'each answer of Redis says how many of its keys held something',
  );
  await column('Warm run').root.getByRole('button', { name: 'MGET, 5 keys' }).click();
  const keys = await column('Warm run').root.getByLabel('Keys').textContent();
  t.same(
    keys?.split('\n').toSorted(),
    [1, 2, 3, 4, 5].map((id) => `Campaign-${id}`),
  );
  t.match(await column('Warm run').entity('Campaign'), { Missed: '0', Bypassed: '0', 'Hit in Redis': '5' });

  const [left, right] = await Promise.all(['Cold run', 'Warm run'].map((title) => column(title).root.boundingBox()));
  t.ok(left && right && left.x + left.width <= right.x && left.y === right.y, 'side by side');
  const axes = await page.locator('.inspector-axis').all();
  const [first, second] = await Promise.all(axes.map((axis) => axis.boundingBox()));
  t.equal(first?.width, second?.width, 'in one scale');
  t.equal(await axes[0]?.textContent(), await axes[1]?.textContent());
  t.match(
    await page.locator('.inspector-savings').textContent(),
    /2 statements fewer, \d+ rows fewer, .* ms (less|more) \(p50 of 10 runs each\)\./,
  );
  t.strictSame(Object.keys(JSON.parse(await textOf('response'))), ['data'], 'the answer is without figures');
  assertClean(t);
});

t.test('a run of another query stands alone, and one that is refused says so', async (t) => {
  const { status, panel, column, button, run, execute, write, assertClean } = await setUp(t);
  await run('Run cold');
  await panel.getByText('Run warm puts its waterfall here.').waitFor();
  await write('query', '{ brands: nodes(ids: []) { id } }');
  await execute();
  await status.getByText('0 SQL · 0 MGET · no entity read').waitFor();
  t.equal(await column('Cold run').root.count(), 0, 'the run of the query before is gone');
  t.match(await column('Run').root.textContent(), /It asked neither Postgres nor Redis/);

  await write('query', '{ nothing }');
  await button('Run warm').click();
  await status.getByText('The query was not executed. The response says why.').waitFor();
  t.strictSame(
    (await status.page().locator('.inspector-strip-amber').count()) + (await column('Cold run').root.count()),
    0,
  );
  assertClean(t);
});

t.test('a statement that repeats turns the strip amber and is named', async (t) => {
  const { page, strip, status, column, run, write, assertClean } = await setUp(t, { env: LASTING });
  await run('Run warm');
  const calm = await coloursOf(page, '.inspector-strip');
  t.notMatch(await status.textContent(), /times/);

  await write('query', REPEATING);
  await run('Run cold');
  t.match(await status.textContent(), /Campaign\.byIds ran 3 times$/);
  t.match(await strip.getAttribute('class'), /amber/);
  t.notSame((await coloursOf(page, '.inspector-strip')).background, calm.background);
  const marked = (await column('Cold run').events()).map(nameOf).filter((name) => name.includes('ran 3 times'));
  t.equal(marked.length, 3, 'each of the three says so');

  await run('Run warm');
  t.notMatch(await status.textContent(), /times/, 'warm, there is nothing to repeat');
  const counts = await column('Warm run').entity('Campaign');
  t.match(
    counts,
    { Negative: /^1in memory$/, 'Hit in Redis': '0', Missed: '0' },
    'that nothing is there was remembered',
  );
  assertClean(t);
});

t.test('in development a statement shows its SQL and parameters, is copied, and explained', async (t) => {
  const { page, server, column, button, run, assertClean } = await setUp(t, { env: DEVELOPMENT });
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await run('Run cold');
  const { root } = column('Cold run');
  await root.getByRole('button', { name: 'Campaign.byIds' }).click();
  const sql = (await root.getByLabel('SQL').textContent()) ?? '';
  t.match(sql, /^select .* from "?campaigns/s);
  t.match(await root.getByLabel('Parameters').textContent(), /^\$1'\{.*1.*\}'$/);

  const clipboard = () => page.evaluate<string>('navigator.clipboard.readText()');
  await button('Copy').click();
  await root.getByText('Copied.').waitFor();
  const copied = await clipboard();
  t.ok(copied.startsWith(sql));
  t.match(copied, /\n-- \$1 = '\{.*\}'/);
  // Where a page may not write to the clipboard, as over plain HTTP from another machine.
  await page.evaluate(`navigator.clipboard.writeText('before')`);
  await page.evaluate(`navigator.clipboard.writeText = () => Promise.reject(new Error('forbidden'))`);
  await button('Copy').click();
  await page.waitForFunction(`navigator.clipboard.readText().then((text) => text !== 'before')`);
  t.equal(await clipboard(), copied);

  const explained = await counted(server, async () => {
    await button('Explain').click();
    await root.getByLabel('Plan').waitFor();
  });
  t.match(await root.getByLabel('Plan').textContent(), /Scan.*cost=/s);
  t.match(
    explained.statements.map(({ query }) => query),
    [/^explain/i],
    'Postgres was asked for the plan and nothing else',
  );
  await root.getByRole('button', { name: 'Campaign.byIds' }).click();
  t.equal(await root.getByLabel('SQL').count(), 0, 'a second click closes it');
  assertClean(t);
});

t.test('elsewhere it says why there are no parameters and no plan', async (t) => {
  const { column, button, run, assertClean } = await setUp(t);
  await run('Run cold');
  const { root } = column('Cold run');
  await root.getByRole('button', { name: 'Event.byIds' }).click();
  t.match(await root.getByLabel('SQL').textContent(), /^select/);
  t.ok(await root.getByText('Parameters and EXPLAIN: in development only (NODE_ENV).').isVisible());
  t.equal(await button('Explain').count(), 0);
  t.equal(await root.getByLabel('Parameters').count(), 0);
  assertClean(t);
});

t.test('it works by keyboard alone', async (t) => {
  const { page, status, panel, column, assertClean } = await setUp(t);
  const focused = () => page.evaluate<string>('document.activeElement.innerText.trim()');
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await press('Tab');
  t.equal(await focused(), 'Skip to the inspector', 'the first stop of the page');
  await press('Enter', 'Enter');
  await panel.waitFor();
  t.equal(await focused(), 'Inspector');
  t.equal(await page.locator('#inspector-toggle').getAttribute('aria-expanded'), 'true');
  const outline = await page.evaluate<string>('getComputedStyle(document.activeElement).outline');
  t.match(outline, /solid 2px/, 'the focus is seen');

  await press('Tab');
  t.equal(await focused(), 'Run cold');
  await press('Enter');
  await column('Cold run').root.waitFor();
  t.equal(await focused(), 'Run cold', 'the focus stays where it is');
  await press('Tab');
  t.equal(await focused(), 'Run warm');
  await press('Space');
  await column('Warm run').root.waitFor();
  t.match(await status.textContent(), /100 %/);
  await press('Tab');
  t.equal(await focused(), 'Campaign.all');
  await press('Enter');
  await panel.getByLabel('SQL').waitFor();
  t.equal(await page.evaluate('document.activeElement.getAttribute("aria-expanded")'), 'true');
  await press('Tab');
  t.equal(await focused(), 'Copy');

  await press('Escape');
  await panel.waitFor({ state: 'detached' });
  t.equal(await focused(), 'Inspector', 'Escape closes the panel and hands the focus back');
  assertClean(t);
});

t.test('without the gate there is no header and no extension, and the strip says how to open it', async (t) => {
  const inspected = await setUp(t);
  const shown = await inspected.execute();
  t.match(shown.headers()['server-timing'], /^sql;dur=.*, redis;dur=.*, total;dur=/, 'with it there are');
  t.ok((await shown.json()).extensions.dataFetching);
  // A header of one's own is stronger than the page's.
  await inspected.write('headers', '{ "X-Inspect": "0" }');
  const declined = await inspected.execute();
  t.equal(declined.headers()['server-timing'], undefined);
  t.strictSame(Object.keys((await declined.json()).extensions), ['cost']);
  await inspected.status.getByText('Inspection is off. Set x-inspect to 1 in the headers').waitFor();
  t.strictSame(Object.keys(JSON.parse(await inspected.textOf('response'))), ['data']);
  inspected.assertClean(t);

  const { page, status, panel, button, execute, textOf, requests, assertClean } = await setUp(t, {
    env: { INSPECT: 'off' },
  });
  await status.getByText('Inspection is off. Start the server with INSPECT=header').waitFor();
  t.pass('it is known before the first query');
  const answer = await execute();
  t.equal(answer.headers()['server-timing'], undefined);
  t.strictSame(Object.keys((await answer.json()).extensions), ['cost']);
  t.strictSame(Object.keys(JSON.parse(await textOf('response'))), ['data']);
  t.match(await status.textContent(), /Inspection is off/);
  const sent = requests.length;
  t.equal(await button('Run cold').getAttribute('aria-disabled'), 'true');
  await button('Run cold').click({ force: true });
  t.equal(await panel.count(), 0);
  await page.evaluate('fetch("/healthz")');
  t.equal(requests.length, sent + 1, 'it sends nothing');
  assertClean(t);
});

t.test('what a header asks for is shown: the cost', async (t) => {
  const { execute, textOf, write, status } = await setUp(t);
  await write('headers', '{ "x-cost": "1" }');
  await execute();
  await status.getByText('cost 21/1000').waitFor();
  t.match(JSON.parse(await textOf('response')).extensions, { cost: { requested: 21, limit: 1000 } });
});

t.test('a mutation is sent once, warm or not', async (t) => {
  const secret = 'a secret of thirty-two characters';
  const { server, requests, status, column, button, write, writeAndClick, assertClean } = await setUp(t, {
    env: { JWT_SECRET: secret },
  });
  await write('headers', JSON.stringify({ authorization: `Bearer ${signed({ scope: 'write' }, secret)}` }));
  await write('query', '{ __typename }');
  await button('Run warm').click();
  await column('Run').root.waitFor();
  const sent = () => requests.filter((url) => url.endsWith('/graphql')).length;
  const before = sent();
  await writeAndClick(
    `mutation { updateCampaign(input: { id: "${globalId('Campaign', 1)}", title: "New" }) { campaign { brand { name } } } }`,
    'Run warm',
  );
  await column('Run').root.getByText('1 miss: the caches were not warm yet.').waitFor();
  t.equal(sent(), before + 1);
  t.match(await server.sql`select title from campaigns where id = 1`, [{ title: 'New' }]);
  t.notMatch(await status.textContent(), /times/, 'that a transaction begins and ends is no repetition');
  assertClean(t);
});

t.test('it follows the theme of GraphiQL, and its text is legible in each', async (t) => {
  const seen = new Map<string, readonly number[]>();
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, panel, column, button, run, write, assertClean } = await setUp(t, { colorScheme, env: DEVELOPMENT });
    const legible = async (what: string, selectors: readonly string[]) => {
      for (const selector of selectors) {
        const ratio = contrast(await coloursOf(page, selector));
        t.ok(ratio >= 4.5, `${what}: ${selector} has a contrast of ${ratio.toFixed(1)}`);
      }
    };
    await legible(colorScheme, ['.inspector-status', '.inspector-run']);
    await write('query', REPEATING);
    await run('Run warm');
    await run('Run cold');
    await column('Cold run').root.getByRole('button', { name: 'Campaign.all' }).click();
    await button('Explain').click();
    await panel.getByLabel('Plan').waitFor();
    const all = [
      ...['.inspector-strip-amber .inspector-status', '.inspector-strip-amber .inspector-warning'],
      ...[
        '.inspector-note',
        '.inspector-summary',
        '.inspector thead th',
        'th .inspector-warning',
        '.inspector-zero',
        '.inspector pre',
      ],
    ];
    await legible(`${colorScheme}, amber`, all);
    seen.set(colorScheme, (await coloursOf(page, '.inspector-status')).background);

    const other = colorScheme === 'light' ? 'Dark' : 'Light';
    await page.getByRole('button', { name: 'Open settings dialog' }).click();
    await page.getByRole('dialog').getByRole('button', { name: other, exact: true }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    seen.set(`${other} chosen`, (await coloursOf(page, '.inspector-status')).background);
    await legible(`${other} chosen`, all);
    assertClean(t);
  }
  t.notSame(seen.get('light'), seen.get('dark'));
  t.strictSame(seen.get('Dark chosen'), seen.get('dark'), 'the choice in GraphiQL is stronger than the system’s');
  t.strictSame(seen.get('Light chosen'), seen.get('light'));
});

t.test('it fits a small window, and does not move for those who want no motion', async (t) => {
  const { page, strip, column, button, run, assertClean } = await setUp(t);
  const motion = () =>
    page.evaluate<string>('getComputedStyle(document.querySelector(".inspector-chevron")).transitionDuration');
  t.not(await motion(), '0s');
  await page.emulateMedia({ reducedMotion: 'reduce' });
  t.equal(await motion(), '0s');

  await page.setViewportSize({ width: 800, height: 600 });
  await run('Run cold');
  await run('Run warm');
  for (const place of [strip, button('Run warm'), page.locator('.graphiql-editor-tools')]) {
    const box = await place.boundingBox();
    t.ok(box && box.x >= 0 && box.x + box.width <= 800 && box.y + box.height <= 600, 'nothing is cut off');
  }
  const warm = await column('Warm run').root.getByRole('heading').boundingBox();
  t.ok(warm && warm.y + warm.height <= 600, 'the run that was asked for is in view');
  const tools = await page.locator('.graphiql-editor-tools').boundingBox();
  const line = await strip.boundingBox();
  t.ok(tools && line && tools.y + tools.height <= line.y, 'GraphiQL is not covered');
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 800, 'the page does not scroll sideways');
  assertClean(t);
});

/** A bearer token (RFC 7519). */
function signed(claims: object, secret: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}
