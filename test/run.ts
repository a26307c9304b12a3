import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { parseArgs } from 'node:util';
import type { PostgresService } from '../src/cli/services/postgres.ts';
import { REPOSITORY } from '../src/cli/services/state-directory.ts';
import { CHECKS } from './runner/checks.ts';
import { stopCommands } from './runner/command.ts';
import { buildTap, findTestPrograms, startTestPostgres, testEnvironment } from './runner/services.ts';
import { type Counts, runTap, type TapRun } from './runner/tap.ts';

const USAGE = `Usage: npx tsx test/run.ts [--quick] [FILE …]

Checks the format, the lint rules, the types, the schema and the migrations, then runs the tests on a Postgres and with
Redis servers of its own. With files, runs these tests alone.

  --quick  leave out what needs Chromium or much time: browser, commands, faults, fuzz, HTTP, limits, metrics, migrations,
           model, the package, races, README, and what else takes about a second or longer`;

/**
 * What the quick loop leaves out: whole directories, and files that start processes or take about a second or longer, but for those that
 * show the whole at work (freshness, mutations, connections). Each file's process costs a second and more besides, and 90 seconds are to
 * be enough for all.
 */
const SLOW = [
  ...[
    'browser',
    'cli',
    'commands',
    'faults',
    'fuzz',
    'http',
    'kit',
    'limits',
    'migrate',
    'model',
    'observability',
    'races',
  ],
  ...[
    'app/assemble.test.ts',
    'app/data/copy.test.ts',
    'app/data/csv.test.ts',
    'app/data/load-csv.test.ts',
    'app/early-signal.test.ts',
    'app/process-log.test.ts',
    'app/settings/misspelt-variables.test.ts',
    'app/settings/secret-files.test.ts',
    'bodies/page-bodies.test.ts',
    'bodies/shared-rows.test.ts',
    'cache/arrangements.test.ts',
    'cache/bus/acknowledgers.test.ts',
    'cache/bus/bus.test.ts',
    'cache/cluster/importers.test.ts',
    'cache/redis/cluster-faults.test.ts',
    'cache/redis/cluster-tls.test.ts',
    'cache/redis/cluster-views.test.ts',
    'cache/redis/cluster.test.ts',
    'cache/redis/connection.test.ts',
    'cache/redis/lease.test.ts',
    'cache/redis/rights.test.ts',
    'cache/redis/sentinel.test.ts',
    'cache/redis/tls.test.ts',
    'cache/redis/url.test.ts',
    'cache/refusals.test.ts',
    'cache/shapes.test.ts',
    'cache/tiers.test.ts',
    'cache/versions.test.ts',
    'docs/clients.test.ts',
    'docs/commands.test.ts',
    'docs/packages.test.ts',
    'docs/typescript.test.ts',
    'entity/catalog-watch.test.ts',
    'entity/check-declaration.test.ts',
    'entity/column-values.test.ts',
    'entity/keys.test.ts',
    'entity/operators.test.ts',
    'entity/rewritten-table.test.ts',
    'entity/version.test.ts',
    'graphql/connection-properties.test.ts',
    'graphql/part-in-memory.test.ts',
    'graphql/real-data.test.ts',
    'graphql/spliced-properties.test.ts',
    'graphql/statements.test.ts',
    'graphql/strangers.test.ts',
    'lists/bigint-order.test.ts',
    'lists/join-rows.test.ts',
    'lists/keyset.test.ts',
    'lists/order-properties.test.ts',
    'lists/plans.test.ts',
    'lists/shared-pages.test.ts',
    'lists/variants.test.ts',
    'mutations/forgets.test.ts',
    'mutations/half-written.test.ts',
    'mutations/read-your-writes.test.ts',
    'outbox/copies.test.ts',
    'outbox/domains.test.ts',
    'outbox/drainer.test.ts',
    'outbox/forget-cut-off.test.ts',
    'outbox/node-drainers.test.ts',
    'outbox/outbox.test.ts',
    'outbox/unwatch.test.ts',
    'outbox/watch-in-turn.test.ts',
    'outbox/watch.test.ts',
    'postgres/connection.test.ts',
    'postgres/ddl-traffic.test.ts',
    'postgres/gates.test.ts',
    'postgres/password.test.ts',
    'postgres/pool.test.ts',
    'postgres/route.test.ts',
    'pothos/check-keys.test.ts',
    'pothos/check-schema.test.ts',
    'pothos/errors-plugin.test.ts',
    'pothos/no-mutations.test.ts',
    'pothos/unread-node.test.ts',
    'readme.test.ts',
    'relay/pagination.test.ts',
    'repository/cached-repository.test.ts',
    'repository/find-by.test.ts',
    'repository/made-values.test.ts',
    'repository/own-transaction.test.ts',
    'repository/places.test.ts',
    'without-app.test.ts',
  ],
].map((name) => join('test', name));

/** Everything that runs until it is stopped. */
const running: { postgres: Promise<PostgresService> | null; tap: TapRun | null } = { postgres: null, tap: null };
let stopping = false;

async function stopAll(): Promise<void> {
  stopping = true;
  await stopCommands();
  await running.tap?.abort();
  // One that is still starting is stopped as soon as it runs; why one did not start was said already.
  const [started] = await Promise.allSettled([running.postgres]);
  if (started.status === 'fulfilled') await started.value?.stop();
}

/** Shows how a step went and how long it took. */
async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  // Nothing new begins once the run is told to stop: the process ends when all that runs has ended.
  if (stopping) return new Promise(() => {});
  const started = performance.now();
  let verdict = 'FAIL';
  try {
    const result = await work();
    if (typeof result !== 'string') verdict = 'ok  ';
    return result;
  } finally {
    console.log(`${verdict}  ${name.padEnd(12)} ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
}

async function runChecks(counts: Counts): Promise<void> {
  for (const check of CHECKS) {
    const problem = await step(check.name, () => check.run());
    if (problem === null) {
      counts.passed += 1;
    } else {
      counts.failed += 1;
      console.log(problem.replace(/^/gm, '      '));
    }
  }
}

async function runTests(files: readonly string[], counts: Counts): Promise<void> {
  const browser = files.some((file) => file.startsWith(join('test', 'browser')));
  let env: NodeJS.ProcessEnv = {};
  try {
    await step('services', async () => {
      await buildTap();
      const chromium = await findTestPrograms(browser);
      running.postgres = startTestPostgres();
      env = testEnvironment(await running.postgres, chromium);
    });
  } catch (error) {
    counts.failed += 1;
    console.log((error as Error).message.replace(/^/gm, '      '));
    return;
  }
  await step('tests', async () => {
    running.tap = runTap(files, env);
    const { passed, failed } = await running.tap.counts;
    counts.passed += passed;
    counts.failed += failed;
    // To `step`, words are a failure.
    return failed === 0 ? null : 'failed';
  });
}

/** @throws when something is left out that is not there: what was moved would be in the quick loop again, and nobody would notice */
function testFiles(quick: boolean): string[] {
  const all = readdirSync(join(REPOSITORY, 'test'), { encoding: 'utf8', recursive: true })
    .map((file) => join('test', file))
    .filter((file) => file.endsWith('.test.ts'))
    .sort();
  const isOf = (slow: string) => (file: string) => file === slow || file.startsWith(slow + sep);
  const gone = SLOW.filter((slow) => !all.some(isOf(slow)));
  if (gone.length > 0) throw new Error(`SLOW in test/run.ts names what is not there: ${gone.join(', ')}`);
  return quick ? all.filter((file) => !SLOW.some((slow) => isOf(slow)(file))) : all;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { quick: { type: 'boolean' }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => {
      console.log(`${signal}: stopping the tests and what they run on …`);
      stopAll().then(
        () => process.exit(code),
        (error) => {
          console.error(error);
          process.exit(1);
        },
      );
    });
  }
  const quick = values.quick === true;
  const counts: Counts = { passed: 0, failed: 0 };
  try {
    if (positionals.length === 0) {
      console.log(
        `On two cores that do nothing else this takes ${quick ? 'a minute and a half' : 'a quarter of an hour'} or so.`,
      );
      await runChecks(counts);
    }
    const chosen = positionals.map((file) => relative(REPOSITORY, file));
    await runTests(chosen.length > 0 ? chosen : testFiles(quick), counts);
  } finally {
    await stopAll();
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}

await main();
