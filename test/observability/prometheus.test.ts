import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { t } from 'tap';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { registerReplicaMetrics } from '../../src/http/telemetry/metrics/replicas.ts';
import { makeTraffic, scrape, seriesOf, startMeasured } from '../support/metrics.ts';
import { startPrometheus } from '../support/prometheus.ts';
import { until } from '../support/until.ts';

const OPS = join(REPOSITORY, 'ops');
const RULES = join(OPS, 'prometheus', 'larder.rules.yml');

const server = await startMeasured(t);

/** The metrics of replicas, which a server without replicas does not have. */
const ofReplicas = new Registry();
registerReplicaMetrics(ofReplicas, { states: () => [], instead: {} });

t.test('a real Prometheus reads them', async (t) => {
  const prometheus = await startPrometheus(t, server.metricsUrl, RULES);
  const value = async (expression: string) => (await prometheus.query(expression))[0]?.value ?? Number.NaN;

  await t.test('and tells the hit rate', async (t) => {
    const hitRate = 'job:larder_cache_hits:ratio_rate5m{job="larder"}';
    let ratio = Number.NaN;
    await until('two scrapes with hits and misses between them', async () => {
      await makeTraffic(server);
      ratio = await value(hitRate);
      return ratio > 0 && ratio !== 1;
    });
    t.ok(ratio < 1, `the hit rate is ${ratio}`);
    // A scrape may not take longer than the second until the next one, which is little on a busy machine.
    await until('the server is seen', async () => (await value('up{job="larder"}')) === 1);
  });

  await t.test('every query of the dashboard and the rules is answered from what is there', async (t) => {
    await until('every rate has two samples', async () => {
      await makeTraffic(server);
      return (await value('count_over_time(larder_audits_total[1m])')) >= 5;
    });
    const scraped = new Set(seriesOf(await scrape(server)).map((series) => series.replace(/\{.*/s, '')));
    const rules = readFileSync(RULES, 'utf8');
    const recorded = new Set([...rules.matchAll(/record: (\S+)/g)].map(([, name]) => name));
    for (const { name } of ofReplicas.getMetricsAsArray()) scraped.add(name);
    const known = (name: string) => name === 'up' || recorded.has(name) || scraped.has(name);
    const queries = dashboardQueries();
    t.ok(queries.length > 30);
    for (const { title, expression } of queries) {
      const names = metricNames(expression);
      t.ok(names.length > 0, title);
      for (const name of names) t.ok(known(name), `${title}: ${name}`);
      const filled = expression.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*');
      await until(`${title} shows something`, async () => (await prometheus.query(filled)).length > 0);
      t.pass(`${title} shows something`);
    }
    const said = /^\s*(summary|runbook):.*$/gm;
    for (const name of metricNames(rules.replace(said, ''))) t.ok(known(name), `a rule: ${name}`);
    // Words may name a histogram as a whole.
    const words = (rules.match(said) ?? []).join();
    for (const name of metricNames(words)) t.ok(known(name) || known(`${name}_count`), `a runbook: ${name}`);
  });
});

/** Names of metrics in PromQL, those with a colon included; labels and functions have other names. */
function metricNames(expression: string): string[] {
  return [...new Set(expression.match(/\b(?:larder|nodejs|process)_\w+|\bjob\w*:[\w:]+/g) ?? [])];
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

function dashboardQueries(): { title: string; expression: string }[] {
  const directory = join(OPS, 'grafana', 'dashboards');
  return readdirSync(directory).flatMap((file) => {
    const { panels } = JSON.parse(readFileSync(join(directory, file), 'utf8')) as { panels: readonly Panel[] };
    return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expression: expr })));
  });
}
