import { t } from 'tap';
import { caught } from './support/caught.ts';
import { DOMAINS_BROKEN } from './support/domains.ts';
import { SILENCES_BROKEN } from './support/silences.ts';

const BROKEN = Object.entries({ ...DOMAINS_BROKEN, ...SILENCES_BROKEN });

for (const [lacking, [parts, scenario]] of BROKEN) {
  t.test(`the protocol as it is: ${scenario.name}`, async (t) => {
    const { history } = await scenario(t, {});
    t.same(history.violations, [], 'nothing is wrong');
    t.ok(history.judged > 0, 'and something was judged');
  });

  t.test(`the protocol without ${lacking}: ${scenario.name}`, async (t) => {
    const history = await caught(() => scenario(t, parts));
    t.not(history.violations.length, 0, 'is caught');
  });
}
