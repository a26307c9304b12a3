import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { REPOSITORY } from '../../../src/cli/services/state-directory.ts';
import { startPrometheus, type TestPrometheus } from '../../support/prometheus.ts';
import { drawDashboard, type Filled } from './draw.ts';
import { nameOf, type Panel, readPanels } from './panels.ts';
import { makeTraffic, type TrafficOptions } from './traffic.ts';

/** The rows of the dashboard that the picture has. */
export const DASHBOARD_ROWS = ['At a glance', 'Cache', 'Freshness'];
/** What rates are taken over: Prometheus scrapes once a second. */
const RATE_INTERVAL = '10s';
const RULES = join(REPOSITORY, 'ops', 'prometheus', 'larder.rules.yml');

/**
 * Puts traffic on a server, has a real Prometheus scrape it meanwhile, and draws what the dashboard's own queries then
 * answer: Grafana itself is no package of npm or Debian.
 *
 * @param page where it is drawn
 * @param metricsUrl the server's metrics
 * @param traffic what is asked of the server
 * @param path where the picture goes
 */
export async function takeDashboardPicture(
  page: Page,
  metricsUrl: string,
  traffic: TrafficOptions,
  path: string,
): Promise<void> {
  const ends: (() => Promise<void>)[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'larder-dashboard-'));
  const owner = { testdir: () => directory, teardown: (action: () => Promise<void>) => void ends.push(action) };
  try {
    const prometheus = await startPrometheus(owner, metricsUrl, RULES);
    await makeTraffic(traffic);
    const filled = await Promise.all(
      readPanels(DASHBOARD_ROWS).map((panel) => fill(panel, prometheus, traffic.seconds)),
    );
    const to = Date.now() / 1000;
    // The policy of the page before would forbid the drawing's styles.
    await page.goto('about:blank');
    await page.setContent(drawDashboard(filled, { from: to - traffic.seconds, to }));
    await page.locator('main').screenshot({ path });
  } finally {
    for (const end of ends) await end();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Asks Prometheus what a panel asks. */
async function fill(panel: Panel, prometheus: TestPrometheus, seconds: number): Promise<Filled> {
  const lines = await Promise.all(
    (panel.targets ?? []).map(async ({ expr, legendFormat = '' }) => {
      const query = expr.replaceAll('$__rate_interval', RATE_INTERVAL).replaceAll('$instance', '.*');
      const found = await prometheus.range(query, seconds);
      return found.map(({ metric, values }) => ({
        name: nameOf(legendFormat, metric),
        // A share of nothing is no number.
        values: values.filter(([, value]) => Number.isFinite(value)),
      }));
    }),
  );
  return { panel, lines: lines.flat() };
}
