import { t } from 'tap';
import { BROKEN } from './support/broken.ts';
import { caught } from './support/caught.ts';
import {
  broughtSlowly,
  busThereAndBack,
  inOtherMemory,
  lateHeartbeat,
  listedAfterPsql,
  listedAgainAfterPsql,
  oldHeartbeat,
  oldSnapshot,
  readAfterPsql,
  readElsewhere,
  type Scenario,
  slowFill,
  stalledBus,
  strandedBus,
  thereAndBack,
  writtenByApi,
} from './support/scenarios.ts';

/** Which race shows that a part is needed. */
const SHOWN_BY: Record<keyof typeof BROKEN, Scenario> = {
  'the lease': slowFill,
  'the comparison before a fill': slowFill,
  'the version check': listedAfterPsql,
  'the versions of pages': listedAgainAfterPsql,
  'the doubt of what lists bring': broughtSlowly,
  'the outbox': readAfterPsql,
  'the epoch check': oldSnapshot,
  'the bus': inOtherMemory,
  'the invalidation after a write': writtenByApi,
  "the heartbeat's deadline": lateHeartbeat,
  'the time of an echo': stalledBus,
  'the way back of an echo': stalledBus,
  'the epoch of an echo': oldHeartbeat,
  'the run of an echo': strandedBus,
  'the history of an echo': busThereAndBack,
  'the doubt of another connection': readElsewhere,
  'the history in the epoch': thereAndBack,
};

/** Each race takes a few reads; one that needed more would not be put together by hand. */
const ENOUGH = 1000;

for (const scenario of new Set(Object.values(SHOWN_BY))) {
  t.test(`the protocol as it is: ${scenario.name}`, async (t) => {
    const { history } = await scenario(t, {});
    t.same(history.violations, [], 'nothing is wrong');
    t.ok(history.judged > 0, 'and something was judged');
  });
}

for (const lacking of Object.keys(SHOWN_BY) as (keyof typeof BROKEN)[]) {
  t.test(`the protocol without ${lacking}: ${SHOWN_BY[lacking].name}`, async (t) => {
    const history = await caught(() => SHOWN_BY[lacking](t, BROKEN[lacking]));
    t.ok(history.violations.length > 0, 'is caught');
    t.ok(history.judged < ENOUGH, `within ${history.judged} reads`);
  });
}
