import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { t } from 'tap';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
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
