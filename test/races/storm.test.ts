import { t } from 'tap';
import { findOrInstallSpin } from '../../src/cli/services/spin.ts';
import { judge } from '../model/support/accepts.ts';
import { type Sample, sampleOf, withLateCommit, withStaleRead } from '../model/support/sample.ts';
import { raceSeed } from './support/random.ts';
import { describeStorm, type Recording, storm } from './support/storm.ts';
import { FAULTS } from './support/storm-faults.ts';

/** How long each fault lasts. */
const PHASE_MS = 8000;

const READS = 100_000;

/** Writes of each history that the model is asked about. */
const WRITES = 3;

const recorded: Recording[] = [];

t.test('whatever goes wrong, no read breaks the contract', async (t) => {
  const report = await storm(t, { seed: raceSeed(), phaseMs: PHASE_MS, reads: READS });
  process.stderr.write(`${describeStorm(report).replaceAll(/^/gm, '    ')}\n`);
  t.same(report.violations, [], 'nothing is wrong');
  t.ok(report.judged >= READS, `${report.judged} reads were judged`);
  t.ok(report.bodies > 0, `${report.bodies} bodies were compared with their rows`);
  recorded.push(...report.recorded.slice(0, Object.keys(FAULTS).length));
});

const samples = () =>
  recorded.map(({ fault, events }) => ({ fault, sample: sampleOf(events, 'without memory', WRITES) }));

t.test('the model accepts what the storm has recorded', async (t) => {
  const tools = await findOrInstallSpin();
  let accepted = 0;
  for (const { fault, sample } of samples()) {
    const verdict = await judge(tools, sample);
    const told = `${fault}: ${sample.writes.length} writes and ${sample.reads.length} reads: ${verdict}`;
    t.not(verdict, 'refused', told, { sample });
    if (verdict === 'accepted' && sample.reads.length > 0) accepted += 1;
  }
  t.ok(accepted > recorded.length / 2, `${accepted} of ${recorded.length} histories with reads were accepted`);
});

for (const [name, doctor] of [
  ['a stale read is swapped in', withStaleRead],
  ['a commit is sent after the read that found it', withLateCommit],
] as const) {
  t.test(`the model refuses what the storm has recorded when ${name}`, async (t) => {
    const doctored = samples().flatMap(({ sample }) => doctor(sample) ?? []);
    // The shortest: all that could have happened is gone through.
    const [shortest] = doctored.sort((a, b) => lengthOf(a) - lengthOf(b));
    if (shortest === undefined) return t.fail('no history has such a read');
    t.equal(await judge(await findOrInstallSpin(), shortest), 'refused', `${shortest.reads.length} reads`);
  });
}

function lengthOf({ reads, writes }: Sample): number {
  return reads.length + writes.length;
}
