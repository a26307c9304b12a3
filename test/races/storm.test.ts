import { t } from 'tap';
import { raceSeed } from './support/random.ts';
import { describeStorm, storm } from './support/storm.ts';

/** How long each fault lasts. */
const PHASE_MS = 8000;

const READS = 100_000;

t.test('whatever goes wrong, no read breaks the contract', async (t) => {
  const report = await storm(t, { seed: raceSeed(), phaseMs: PHASE_MS, reads: READS });
  process.stderr.write(`${describeStorm(report).replaceAll(/^/gm, '    ')}\n`);
  t.same(report.violations, [], 'nothing is wrong');
  t.ok(report.judged >= READS, `${report.judged} reads were judged`);
  t.ok(report.bodies > 0, `${report.bodies} bodies were compared with their rows`);
});
