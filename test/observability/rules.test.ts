import { readFileSync } from 'node:fs';
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
  for (const about of ['ErrorRatio', 'Slow', 'HitRate', 'Outbox', 'Breaker', 'Pool', 'Inconsistent']) {
    t.ok(
      alerts.some((alert) => alert.split('\n')[0]?.includes(about)),
      about,
    );
  }
  for (const alert of alerts) t.match(alert, /\n\s+runbook: "[^"\n]{40,}"/, `${alert.split('\n')[0]} says what to do`);
});
