import type { PostgresService } from '../../src/cli/services/postgres.ts';
import { buildTap, findTestPrograms, startTestPostgres, testEnvironment } from '../runner/services.ts';
import { runTap, type TapRun } from '../runner/tap.ts';
import { raceSeed } from './support/random.ts';

const help = `Runs the races again and again, with another seed each time, until Ctrl-C or until one breaks the contract.

  make soak
  SOAK_MINUTES=60 make soak
`;

if (process.argv.includes('--help')) {
  process.stdout.write(help);
  process.exit();
}

const FILES = ['storm', 'scheduled', 'server'].map((name) => `test/races/${name}.test.ts`);

/** The minutes in SOAK_MINUTES, else as long as it takes until somebody presses Ctrl-C. */
function soakMs(): number {
  const given = process.env.SOAK_MINUTES;
  if (given === undefined || given === '') return Number.POSITIVE_INFINITY;
  const minutes = Number(given);
  if (!(minutes > 0)) throw new RangeError(`SOAK_MINUTES: expected a number of minutes, got ${given}`);
  return minutes * 60_000;
}

const running: { postgres: PostgresService | null; tap: TapRun | null; interrupted: boolean } = {
  postgres: null,
  tap: null,
  interrupted: false,
};

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    running.interrupted = true;
    console.log(`${signal}: ending the round under way …`);
    void running.tap?.abort();
  });
}

/** Runs the races again and again, with another seed each time, until the time is over or one breaks the contract. */
async function soak(): Promise<void> {
  const began = performance.now();
  const until = began + soakMs();
  let rounds = 0;
  let failed = 0;
  try {
    await buildTap();
    await findTestPrograms(false);
    running.postgres = await startTestPostgres();
    const env = testEnvironment(running.postgres, null);
    while (!running.interrupted && failed === 0 && performance.now() < until) {
      const seed = raceSeed();
      console.log(`round ${rounds + 1}, RACE_SEED=${seed}`);
      running.tap = runTap(FILES, { ...env, RACE_SEED: String(seed) });
      const counts = await running.tap.counts;
      if (running.interrupted) break;
      failed += counts.failed;
      rounds += 1;
    }
  } finally {
    await running.postgres?.stop();
  }
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  console.log(`${rounds} rounds in ${minutes} minutes, ${failed === 0 ? 'nothing was wrong' : `${failed} failed`}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await soak();
