import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServiceError } from '../src/cli/services/service-error.ts';
import { type Bench, compare, poolOf } from './runner/compare.ts';
import { measureGrowth } from './runner/growth/measure-growth.ts';
import { plotGrowth, reportGrowth } from './runner/growth/report-growth.ts';
import { busyWarning, describeMachine, pin } from './runner/machine.ts';
import { MEMORY_CAMPAIGNS, measureMemory } from './runner/memory/measure-memory.ts';
import { reportMemory } from './runner/memory/report-memory.ts';
import { isSet, type Mode, readMode } from './runner/mode.ts';
import { measureOverhead } from './runner/overhead/measure-overhead.ts';
import { reportOverhead } from './runner/overhead/report-overhead.ts';
import { updateBetween, updateLine, updateTable } from './runner/pages.ts';
import { plot } from './runner/plot.ts';
import { profile } from './runner/profile.ts';
import { SIZES } from './runner/queries.ts';
import { readmeTable } from './runner/readme-table.ts';
import { report } from './runner/report.ts';
import { restarts } from './runner/restart.ts';
import type { Results } from './runner/results.ts';
import { measureScale } from './runner/scale/measure-scale.ts';
import { reportScale, SCALE_LINE, scaleLine } from './runner/scale/report-scale.ts';
import { seed, startStores } from './runner/stores.ts';
import { measureChanges } from './runner/storm/measure-changes.ts';
import { measureStorm } from './runner/storm/measure-storm.ts';
import { changesTarget, reportChanges, reportStorm, stormTarget } from './runner/storm/report-storm.ts';
import { summaryOf } from './runner/summary.ts';
import type { Target } from './runner/targets.ts';
import { stopAll, type Teardown } from './runner/teardown.ts';
import { freshCampaigns, TRAFFIC, type Traffic } from './runner/traffic.ts';
import { findOrInstallWrk } from './runner/wrk.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const RESULTS = join(HERE, 'results');
const README = 'bench/README.md';
const DATABASE = 'bench';

const help = `Measures Larder beside its peers; bench/README.md tells what and how.

  make bench            15 minutes: a crowd of 32 connections and one reader alone
  make bench QUICK=1    less data, ten kinds of traffic, one round: 4 minutes
  make bench CONNECTIONS=1  one reader alone, and nobody else
  make bench GROWTH=1   Larder alone, while tables, pages, hit rates and connections grow
  make bench OVERHEAD=1 Larder alone: what it costs that requests could be inspected
  make bench STORM=1    Larder alone, while it is attacked, and while 100,000 rows change
  make bench SCALE=1    what several servers, nodes of Redis and replicas of Postgres give, and what a million requests a second take
  make bench MEMORY=1   Larder alone: what it takes in memory, bounded by bytes
  make bench PEERS=larder,postgraphile TRAFFIC=wide ROUNDS=5 SECONDS=4 WARM_UP=3 PROFILE=wide
`;

const say = (line: string) => console.log(line);

/** Larder beside its peers. */
async function comparison(bench: Bench, machine: string, busyBefore: string | null, teardown: Teardown): Promise<void> {
  const { mode } = bench;
  const at = new Date().toISOString().slice(0, 16).replace('T', ' ');
  const measured = await compare(bench, teardown);
  const warning = busyBefore ?? (await busyWarning());
  const results: Results = {
    ...{ machine, at: `${at} UTC`, warning, mode: mode.name },
    data: `${mode.data.campaigns.toLocaleString('en-US')} campaigns, ${mode.data.events.toLocaleString('en-US')} events`,
    connections: mode.connections,
    secondsPerRun: mode.seconds,
    coldSeconds: mode.coldSeconds.others,
    ...measured,
    restarts: mode.whole ? await restarts(bench) : [],
    // Attacks and memory do not fit into four minutes: STORM=1 and MEMORY=1 measure them alone.
    storm: mode.whole && mode.name === 'full' ? await measureStorm(bench) : null,
    memory: mode.whole && mode.name === 'full' ? await measureMemory(bench) : [],
  };
  const text = report(results);
  const profiled = await profile(bench, profiledTraffic(), RESULTS);
  save('results.json', `${JSON.stringify(results, null, 1)}\n`);
  save('results.md', `${text}\n`);
  save('profile.md', `${profiled}\n`);
  save('results.svg', plot(results));
  const summary = summaryOf(results).join('\n');
  const compared = readmeTable(results);
  save('summary.md', `${summary}\n\n${compared.join('\n')}\n`);
  say(`\n${summary}\n\nFor README.md:\n\n${compared.join('\n')}`);
  say(`\n${text}\n\nCPU profile of Larder (${profiledTraffic()}):\n\n${profiled}\n`);
  say(`Kept in ${RESULTS}: results.json, results.md, summary.md, results.svg, profile.md and the profile itself.`);
  if (isSet(process.env.UPDATE) && mode.whole) {
    updateBetween(README, 'summary', summary);
    updateBetween(README, 'results', text);
    updateBetween(README, 'profile', profiled);
    writeFileSync(join(HERE, 'results.svg'), plot(results));
    updateTable('README.md', 'How it compares', compared);
    say('README.md, bench/README.md and bench/results.svg show this run.');
  }
}

/** Larder alone, while one thing after the other grows. */
async function growth(bench: Bench, machine: string, busyBefore: string | null): Promise<void> {
  const series = await measureGrowth(bench, isSet(process.env.FULL));
  const warning = busyBefore ?? (await busyWarning());
  const at = `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const heading = `${at}. ${machine}.`;
  const text = [...(warning === null ? [] : [`**${warning}**`, '']), heading, '', reportGrowth(series)].join('\n');
  const drawn = plotGrowth(
    series,
    `What a request costs as things grow (${at})${warning === null ? '' : ', PROVISIONAL'}`,
  );
  save('growth.json', `${JSON.stringify({ at, machine, warning, series }, null, 1)}\n`);
  save('growth.md', `${text}\n`);
  save('growth.svg', drawn);
  say(`\n${text}\n\nKept in ${RESULTS}: growth.json, growth.md, growth.svg.`);
  if (isSet(process.env.UPDATE)) {
    updateBetween(README, 'growth', text);
    writeFileSync(join(HERE, 'growth.svg'), drawn);
    say('bench/README.md and bench/growth.svg show this run.');
  }
}

/** Larder beside itself, with and without what makes inspection possible. */
async function overhead(bench: Bench, machine: string, busyBefore: string | null, teardown: Teardown): Promise<void> {
  const measured = await measureOverhead(bench, teardown);
  const warning = busyBefore ?? (await busyWarning());
  const at = `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const heading = `${at}. ${machine}.`;
  const text = [...(warning === null ? [] : [`**${warning}**`, '']), heading, '', reportOverhead(measured)].join('\n');
  save('overhead.json', `${JSON.stringify({ at, machine, warning, measured }, null, 1)}\n`);
  save('overhead.md', `${text}\n`);
  say(`\n${text}\n\nKept in ${RESULTS}: overhead.json, overhead.md.`);
  if (isSet(process.env.UPDATE)) {
    updateBetween(README, 'overhead', text);
    say('bench/README.md shows this run.');
  }
}

/** What Larder takes to serve more, and what follows for a million requests in a second. */
async function scale(bench: Bench, machine: string, busyBefore: string | null, teardown: Teardown): Promise<void> {
  const measured = await measureScale(bench, teardown);
  const warning = busyBefore ?? (await busyWarning());
  const at = `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const heading = `${at}. ${machine}.`;
  const text = [...(warning === null ? [] : [`**${warning}**`, '']), heading, '', reportScale(measured)].join('\n');
  save('scale.json', `${JSON.stringify({ at, machine, warning, measured }, null, 1)}\n`);
  save('scale.md', `${text}\n`);
  say(`\n${text}\n\nKept in ${RESULTS}: scale.json, scale.md.`);
  if (isSet(process.env.UPDATE)) {
    updateBetween('docs/scaling.md', 'scale', text);
    updateLine('README.md', SCALE_LINE, scaleLine(measured));
    say('docs/scaling.md and README.md show this run.');
  }
}

/** Larder alone, while it is attacked, and while many rows change. */
async function storm(bench: Bench, busyBefore: string | null): Promise<void> {
  const attacks = await measureStorm(bench);
  const changes = await measureChanges(bench);
  const warning = busyBefore ?? (await busyWarning());
  if (warning !== null) say(warning);
  const tell = (report: readonly string[], { what, measured, passed }: Target) =>
    say(`\n${report.join('\n')}\n\n${passed ? 'pass' : 'FAIL'}: ${what} — ${measured}\n`);
  tell(reportStorm(attacks), stormTarget(attacks));
  tell(reportChanges(changes), changesTarget(changes));
}

/** How many campaigns there have to be that nobody has asked for. */
function freshOf({ name, traffic, rounds, whole }: Mode): number {
  const each = traffic.map((kind) => freshCampaigns(kind, SIZES.nested.campaigns));
  // And once before the first round.
  const asked = (1 + rounds) * each.reduce((sum, campaigns) => sum + campaigns, 0);
  return Math.max(asked, (whole && name === 'full') || isSet(process.env.MEMORY) ? MEMORY_CAMPAIGNS : 0);
}

/** What Larder is profiled with. */
function profiledTraffic(): Traffic {
  return TRAFFIC.find((traffic) => traffic === process.env.PROFILE) ?? 'wide';
}

function save(name: string, content: string): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, name), content);
}

async function main(mode: Mode, teardown: Teardown): Promise<void> {
  const warning = await busyWarning();
  if (warning !== null) say(warning);
  // What several servers give shows where they may run on every core.
  const cores = isSet(process.env.SCALE) ? null : pin();
  const machine = describeMachine(cores);
  say(machine);
  // What is missing is better told now than in minutes.
  await findOrInstallWrk();
  const stores = await startStores(teardown);
  const bench: Bench = { mode, cores, stores, database: DATABASE, pool: poolOf(mode), say };
  if (isSet(process.env.GROWTH)) {
    await growth(bench, machine, warning);
  } else {
    await seed(stores, DATABASE, mode.data, freshOf(mode));
    if (isSet(process.env.SCALE)) await scale(bench, machine, warning, teardown);
    else if (isSet(process.env.OVERHEAD)) await overhead(bench, machine, warning, teardown);
    else if (isSet(process.env.STORM)) await storm(bench, warning);
    else if (isSet(process.env.MEMORY)) say(`\n${reportMemory(await measureMemory(bench)).join('\n')}\n`);
    else await comparison(bench, machine, warning, teardown);
  }
  say(`Took ${Math.round(process.uptime())} s.`);
}

if (process.argv.includes('--help')) {
  process.stdout.write(help);
  process.exit();
}
const teardown: Teardown = [];
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    say(`${signal}: stopping what was started …`);
    stopAll(teardown).finally(() => process.exit(130));
  });
}
try {
  await main(readMode(process.env), teardown);
} catch (error) {
  // The error of a service says what to do next. A stack would hide that.
  console.error(error instanceof ServiceError ? error.message : error);
  process.exitCode = 1;
} finally {
  await stopAll(teardown);
}
process.exit();
