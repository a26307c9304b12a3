import fc from 'fast-check';
import { t } from 'tap';
import { BROKEN } from './support/broken.ts';
import { commands } from './support/commands.ts';
import { raceSeed } from './support/random.ts';
import { ScheduledWorld } from './support/scheduled-world.ts';

/**
 * What the order of steps alone shows. The others need time to pass, a Redis that dies, or an order that is too rare to wait
 * for, and are in broken.test.ts, where each step is held by hand.
 */
const SHOWN_BY_ORDER = ['the version check', 'the bus', 'the invalidation after a write'] as const;

/** Runs within which each was found with every seed that was tried, many times over. */
const ENOUGH_RUNS = 1000;

for (const lacking of SHOWN_BY_ORDER) {
  t.test(`without ${lacking}, some order breaks it`, async (t) => {
    const world = await ScheduledWorld.open(t, BROKEN[lacking]);
    const seed = raceSeed() | 0;
    let judged = 0;
    const property = fc.asyncProperty(fc.scheduler({ act: world.act }), commands(), async (scheduler, commands) => {
      const history = await world.run(scheduler, commands);
      judged += history.judged;
      return history.violations.length === 0;
    });
    const { failed, numRuns } = await fc.check(property, { seed, numRuns: ENOUGH_RUNS, endOnFailure: true });
    process.stderr.write(
      `    without ${lacking}: caught in run ${numRuns}, after ${judged} reads; RACE_SEED=${seed >>> 0}\n`,
    );
    t.ok(failed, `is caught within ${ENOUGH_RUNS} runs`);
  });
}
