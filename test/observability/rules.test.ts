import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { t } from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { blocks, pageText } from '../docs/document.ts';
import { promtool } from '../support/prometheus.ts';

const OPS = join(REPOSITORY, 'ops');
const RULES = join(OPS, 'prometheus', 'larder.rules.yml');

t.test('the rules', async (t) => {
  const check = promtool(['check', 'rules', RULES]);
  t.equal(check.status, 0, check.said);
  const tests = promtool(['test', 'rules', join(OPS, 'prometheus', 'larder.rules.test.yml')]);
  t.equal(tests.status, 0, tests.said);
  const config = promtool(['check', 'config', '--syntax-only', join(OPS, 'prometheus', 'prometheus.yml')]);
  t.equal(config.status, 0, config.said);
  const rules = readFileSync(RULES, 'utf8');
  const alerts = rules.split(/^ *- alert: /m).slice(1);
  for (const about of [
    ...['Down', 'Outage', 'Failing', 'ErrorRatio', 'Slow', 'HitRate', 'Outbox', 'OutboxUnread', 'Unvouched', 'Breaker'],
    ...['CacheRefused', 'RedisErrors', 'SqlErrors', 'EventLoop', 'Pool', 'ReplicaUnused', 'Inconsistent'],
  ]) {
    t.ok(
      alerts.some((alert) => alert.split('\n')[0]?.includes(about)),
      about,
    );
  }
  for (const alert of alerts) t.match(alert, /\n\s+runbook: "[^"\n]{40,}"/, `${alert.split('\n')[0]} says what to do`);
});

/** A configuration of Prometheus, as far as it is looked at. */
interface Config {
  readonly global?: { readonly scrape_interval: string };
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly scrape_interval?: string;
    readonly relabel_configs?: readonly { readonly source_labels: readonly string[]; readonly regex?: string }[];
  }[];
}

/** A Deployment, as far as it is looked at. */
interface Deployment {
  readonly kind: string;
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: { readonly containers: readonly { readonly ports: readonly { readonly name: string }[] }[] };
    };
  };
}

t.test('each scrape job that is given is the one that the rules ask for, often enough for them', async (t) => {
  const rules = readFileSync(RULES, 'utf8');
  const jobs = new Set([...rules.matchAll(/job="([^"]+)"/g)].map(([, job]) => job));
  const seconds = { s: 1, m: 60, h: 3600 };
  const inSeconds = (text = '') => Number(text.slice(0, -1)) * seconds[text.at(-1) as keyof typeof seconds];
  const shortest = Math.min(...[...rules.matchAll(/\[(\d+[smh])\]/g)].map(([, range]) => inSeconds(range)));
  const page = blocks(pageText('docs/kubernetes.md')).find(({ text }) => text.includes('scrape_configs:'));
  if (page === undefined) throw new Error('docs/kubernetes.md has no scrape job.');
  const file = join(t.testdir({}), 'prometheus.yml');
  // Debian's Prometheus knows no Kubernetes.
  writeFileSync(file, page.text.replace('kubernetes_sd_configs: [{ role: pod }]', 'static_configs: []'));
  const check = promtool(['check', 'config', '--syntax-only', file]);
  t.equal(check.status, 0, check.said);
  for (const text of [page.text, readFileSync(join(OPS, 'prometheus', 'prometheus.yml'), 'utf8')]) {
    const { global, scrape_configs: configs } = parse(text) as Config;
    t.same(new Set(configs.map(({ job_name: name }) => name)), jobs);
    for (const { scrape_interval: interval = global?.scrape_interval } of configs) {
      t.ok(inSeconds(interval) * 4 <= shortest, `four scrapes, every ${interval}, are within ${shortest} s`);
    }
  }
  const documents = parseAllDocuments(readFileSync(join(REPOSITORY, 'docs', 'kubernetes', 'larder.yaml'), 'utf8'));
  const objects = documents.map((document) => document.toJS() as Deployment);
  const pod = objects.find(({ kind }) => kind === 'Deployment')?.spec.template;
  const [keep] = (parse(page.text) as Config).scrape_configs[0]?.relabel_configs ?? [];
  const prefix = '__meta_kubernetes_pod_';
  const known = new Map([
    ...Object.entries(pod?.metadata.labels ?? {}).map(
      ([name, value]) => [`${prefix}label_${name.replaceAll(/\W/g, '_')}`, value] as const,
    ),
    [`${prefix}phase`, 'Running'],
  ]);
  const kept = (pod?.spec.containers[0]?.ports ?? []).filter(({ name }) => {
    const values = keep?.source_labels.map((label) => known.get(label) ?? (label.endsWith('_port_name') ? name : ''));
    return new RegExp(`^(?:${keep?.regex})$`).test(values?.join(';') ?? '');
  });
  t.same(
    kept.map(({ name }) => name),
    ['metrics'],
    'of the ports of a pod of the manifest, it takes the one',
  );
});

t.test('compose hands Prometheus and Grafana all of it', async (t) => {
  const compose = readFileSync(join(REPOSITORY, 'compose.yaml'), 'utf8');
  const mounts = new Map(
    [...compose.matchAll(/^ +- (\.\/ops\/\S+?):(\/\S+?):ro$/gm)].map(([, from = '', to = '']) => [to, from]),
  );
  for (const from of mounts.values()) t.ok(existsSync(join(REPOSITORY, from)), `${from} is there`);
  const prometheus = readFileSync(join(OPS, 'prometheus', 'prometheus.yml'), 'utf8');
  const rules = /rule_files:\s+- (\S+)/.exec(prometheus)?.[1] ?? '';
  t.equal(mounts.get(rules), './ops/prometheus/larder.rules.yml', 'the rules are where Prometheus looks');
  const provider = readFileSync(join(OPS, 'grafana', 'provisioning', 'dashboards', 'larder.yaml'), 'utf8');
  const dashboards = /path: (\S+)/.exec(provider)?.[1] ?? '';
  t.equal(mounts.get(dashboards), './ops/grafana/dashboards', 'the dashboards are where Grafana looks');
  const home = /DASHBOARD_PATH: (\S+)/.exec(compose)?.[1] ?? '';
  const files = readdirSync(join(OPS, 'grafana', 'dashboards')).map((file) => `${dashboards}/${file}`);
  t.ok(files.includes(home), 'and the first that one sees is among them');
});
