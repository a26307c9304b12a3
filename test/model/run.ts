import { parseArgs } from 'node:util';
import { ServiceError } from '../../src/cli/services/service-error.ts';
import { findOrInstallSpin, type Spin } from '../../src/cli/services/spin.ts';
import { CONFIGURATIONS, LACKING, LACKING_MORE } from './support/configurations.ts';
import { type Configuration, type Found, search, stopSearches } from './support/search.ts';

const USAGE = `Searches the model of the cache's protocol (model/README.md): as it is, whole; and without each of its parts, until a read breaks
the contract.

  make model
  npx tsx test/model/run.ts [--trail] [NAME …]

  NAME     search these alone, such as "a memory" or "the lease"
  --trail  show what happens on the way to each read that breaks the contract`;

/** Two at a time, on two cores. */
const JOBS = 2;
const WHOLE_MS = 600_000;
const LACKING_MS = 60_000;

/** One line of the table. */
interface Task {
  readonly name: string;
  readonly configuration: Configuration;
  /** Whether a part is left out, so that something must be wrong. */
  readonly lacking: boolean;
}

const tasks: readonly Task[] = [
  ...Object.entries(CONFIGURATIONS).map(([name, configuration]) => ({ name, configuration, lacking: false })),
  ...Object.entries({ ...LACKING, ...LACKING_MORE }).map(([name, configuration]) => ({
    name,
    configuration,
    lacking: true,
  })),
];

function describe(task: Task, { states, depth, seconds, counterexample }: Found): string {
  const name = task.lacking ? `without ${task.name}` : task.name;
  const good = (counterexample !== null) === task.lacking;
  const verdict = counterexample === null ? 'no read breaks the contract' : 'a read breaks the contract';
  const figures = `${states.toLocaleString('en')} states, depth ${depth}, ${seconds.toFixed(1)} s`;
  return `${good ? 'ok  ' : 'FAIL'}  ${name.padEnd(38)} ${verdict.padEnd(28)} ${figures}`;
}

async function runTask(tools: Spin, task: Task, trail: boolean): Promise<boolean> {
  try {
    const found = await search(tools, task.configuration, { limitMs: task.lacking ? LACKING_MS : WHOLE_MS });
    console.log(describe(task, found));
    const wrong = (found.counterexample !== null) !== task.lacking;
    if (found.counterexample !== null && (trail || wrong)) {
      for (const line of found.counterexample) console.log(`        ${line}`);
    }
    return !wrong;
  } catch (error) {
    console.log(`FAIL  ${task.name}: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { trail: { type: 'boolean' }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (values.help) return console.log(USAGE);
  const unknown = positionals.filter((name) => !tasks.some((task) => task.name === name));
  if (unknown.length > 0) {
    throw new ServiceError(
      `There is no ${unknown.join(', ')}. There are: ${tasks.map(({ name }) => name).join(', ')}.`,
    );
  }
  const tools = await findOrInstallSpin();
  const began = performance.now();
  const waiting = tasks.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  let failed = 0;
  const worker = async () => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      if (!(await runTask(tools, task, values.trail === true))) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: JOBS }, worker));
  console.log(
    `${failed === 0 ? 'All as it should be' : `${failed} not as they should be`}, in ${((performance.now() - began) / 1000).toFixed(0)} s.`,
  );
  process.exitCode = failed === 0 ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => void stopSearches().then(() => process.exit(1)));
}

try {
  await main();
} catch (error) {
  if (!(error instanceof ServiceError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
