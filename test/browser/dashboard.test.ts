import { t } from 'tap';
import { drawDashboard } from './dashboard/draw.ts';
import { nameOf, readPanels } from './dashboard/panels.ts';
import { DASHBOARD_ROWS } from './dashboard/take-picture.ts';

t.test('the picture has all panels of its rows, where the dashboard has them', async (t) => {
  const panels = readPanels(DASHBOARD_ROWS);
  t.same(
    panels.filter(({ type }) => type === 'row').map(({ title }) => title),
    DASHBOARD_ROWS,
    'the dashboard has these rows',
  );
  const lines = [
    { name: 'a<b', values: [[100, 0.5] as const, [110, 2] as const] },
    { name: 'none', values: [] },
  ];
  const page = drawDashboard(
    panels.map((panel) => ({ panel, lines })),
    { from: 100, to: 110 },
  );
  for (const { title } of panels) t.match(page, `>${title}<`, title);
  t.notMatch(page, /NaN|undefined|a<b/, 'every number is one, and names are text');
  // Rows that are left out leave no gap.
  const places = panels.map(({ gridPos: { y, h } }) => ({ from: y, to: y + h }));
  for (const { from } of places) t.ok(from === 0 || places.some(({ to }) => to === from), `something ends at ${from}`);
});

t.test('series are named by their labels', async (t) => {
  t.equal(nameOf('{{tier}} {{result}}', { tier: 'redis', result: 'hit', entity: 'A' }), 'redis hit');
  t.equal(nameOf('p99', {}), 'p99');
});
