import { t } from 'tap';
import { caught } from './support/caught.ts';
import { UNWATCHED, UNWATCHED_BROKEN } from './support/unwatched.ts';

for (const scenario of UNWATCHED) {
  t.test(`where nobody tells of changes, no read by id is old: ${scenario.name}`, async (t) => {
    const { history } = await scenario(t, {});
    t.same(history.violations, []);
    t.ok(history.reads.id > 0, 'and something was judged');
  });
}

for (const [lacking, [parts, scenario]] of Object.entries(UNWATCHED_BROKEN)) {
  t.test(`without ${lacking}: ${scenario.name}`, async (t) => {
    const history = await caught(() => scenario(t, parts));
    t.not(history.violations.length, 0, 'is caught');
  });
}
