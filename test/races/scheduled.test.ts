import fc from 'fast-check';
import { t } from 'tap';
import { commands } from './support/commands.ts';
import { raceSeed } from './support/random.ts';
import { ScheduledWorld } from './support/scheduled-world.ts';

const BUDGET_MS = 30_000;

t.test('whatever overtakes whatever, no read breaks the contract', async (t) => {
  const world = await ScheduledWorld.open(t);
  const seed = raceSeed() | 0;
  let judged = 0;
  let runs = 0;
  const property = fc.asyncProperty(fc.scheduler({ act: world.act }), commands(), async (scheduler, commands) => {
    const history = await world.run(scheduler, commands);
    runs += 1;
    judged += history.judged;
    if (history.violations.length > 0) throw new Error(history.violations.join('\n'));
  });
  const details = await fc.check(property, {
    seed,
    numRuns: 100_000,
    interruptAfterTimeLimit: BUDGET_MS,
    markInterruptAsFailure: false,
    endOnFailure: true,
  });
  process.stderr.write(`    scheduled races: ${runs} runs, ${judged} reads judged; RACE_SEED=${seed >>> 0}\n`);
  t.same(details.errorInstance, null, 'every run was right');
  if (details.failed) t.comment(fc.defaultReportMessage(details));
});
