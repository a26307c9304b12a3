import { t } from 'tap';
import { replicatedPostgres } from '../support/replicated-postgres.ts';
import { caught } from './support/caught.ts';
import { REPLICAS_BROKEN } from './support/replicas.ts';

const postgres = await replicatedPostgres(t, 1);

for (const [lacking, [parts, scenario]] of Object.entries(REPLICAS_BROKEN)) {
  t.test(`lists of a replica that replays late: ${scenario.name}`, async (t) => {
    const { history } = await scenario(t, {}, postgres);
    t.same(history.violations, [], 'nothing is wrong');
    t.ok(history.judged > 0, 'and something was judged');
  });

  t.test(`the protocol without ${lacking}: ${scenario.name}`, async (t) => {
    const history = await caught(() => scenario(t, parts, postgres));
    t.not(history.violations.length, 0, 'is caught');
  });
}
