import { t } from 'tap';
import { findOrInstallSpin } from '../../src/cli/services/spin.ts';
import { BROKEN } from '../races/support/broken.ts';
import { CONFIGURATIONS, LACKING, LACKING_MORE } from './support/configurations.ts';
import { search } from './support/search.ts';

/** So long that a machine four times as slow gets there, too. */
const EFFORT = { limitMs: 240_000 };

/** A race that is soon found takes less time than to compile well. */
const BRIEFLY = { ...EFFORT, brief: true };

/** What is searched in seconds; `make model` searches all. */
const WHOLE = [
  'a late heartbeat',
  'a restart of Redis',
  'a copy that is too soon',
  'a process that is given up',
] as const;
const TAKEN_OUT = [
  'the lease',
  'the comparison before a fill',
  'the version check',
  'the outbox',
  'the epoch check',
] as const;

t.test('the model can lack each part that the races can lack', async (t) => {
  t.same(Object.keys(LACKING).sort(), Object.keys(BROKEN).sort());
});

for (const name of WHOLE) {
  t.test(`as it is: ${name}`, async (t) => {
    const { counterexample, states } = await search(await findOrInstallSpin(), CONFIGURATIONS[name], EFFORT);
    t.same(counterexample, null, 'no read breaks the contract');
    t.ok(states > 1000, `in ${states} states, which are all`);
  });
}

for (const [name, configuration] of [
  ...TAKEN_OUT.map((name) => [name, LACKING[name]] as const),
  ...Object.entries(LACKING_MORE),
]) {
  t.test(`without ${name}`, async (t) => {
    const { counterexample } = await search(await findOrInstallSpin(), configuration, BRIEFLY);
    t.ok(counterexample !== null && counterexample.length > 0, 'a read breaks the contract');
  });
}
