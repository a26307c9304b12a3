import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { checkBodies } from '../../stage/check-bodies.ts';
import { Locks } from '../../stage/commit.ts';
import type { HistoryEvent } from '../../stage/history.ts';
import { DEFAULTS } from '../../stage/process.ts';
import { setStage } from '../../stage/stage.ts';
import { openProxy } from '../../support/proxy.ts';
import { until } from '../../support/until.ts';
import { createRandom } from './random.ts';
import { FAULTS } from './storm-faults.ts';
import { readAll, readers } from './storm-reads.ts';
import { openStormProcesses, SIZES, type StormWorld } from './storm-world.ts';
import { writers } from './storm-writes.ts';

/** How a storm went. */
export interface StormReport {
  readonly seed: number;
  /** Reads judged: one for each entity that an operation returned, or should have. */
  readonly judged: number;
  readonly byId: number;
  readonly byList: number;
  readonly operations: number;
  readonly committed: number;
  readonly answered: number;
  /** Bodies that Redis held when nothing moved any more, each of which was compared with its row. */
  readonly bodies: number;
  readonly seconds: number;
  /** What was done and what went wrong, and how often. */
  readonly tally: Readonly<Record<string, number>>;
  /** How the processes found what they read. */
  readonly counts: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
  /** What happened to `RECORDED` during each fault, when everything had been drained before. */
  readonly recorded: readonly Recording[];
}

/** What happened to one entity during a fault. */
export interface Recording {
  readonly fault: string;
  readonly events: readonly HistoryEvent[];
}

/** An entity that is never deleted and often read. */
const RECORDED = 'Brand-1';

/** How a storm shall be. */
export interface StormOptions {
  readonly seed: number;
  /** How long each fault lasts, in milliseconds. */
  readonly phaseMs: number;
  /** How many reads shall be judged: on a machine too slow for that, the faults begin again. */
  readonly reads: number;
}

const READERS = 2;
const WRITERS = 3;

/**
 * Lets processes be read and written by many at once while things go wrong, one after the other, and judges every read.
 * After each, when nothing moves any more, all that is cached is compared with the rows.
 *
 * @param t the test that it is for
 * @param options the seed and how long it lasts
 * @returns what happened
 */
export async function storm(t: Test, options: StormOptions): Promise<StormReport> {
  const { seed, phaseMs, reads } = options;
  const began = performance.now();
  const stage = await setStage(t, {}, SIZES);
  const proxy = await openProxy(t, stage.redis.port);
  const processes = await openStormProcesses(stage, proxy);
  const random = createRandom(seed);
  const world: StormWorld = { stage, processes, proxy, locks: new Locks(), born: [], tally: new Map() };
  const { history } = stage;
  let bodies = 0;
  const recorded: Recording[] = [];
  const faults = Object.keys(FAULTS) as (keyof typeof FAULTS)[];
  for (let i = 0; i < faults.length || history.judged < reads; i += 1) {
    const name = faults[i % faults.length] as keyof typeof FAULTS;
    const events: HistoryEvent[] = [];
    history.recorder = (event) => {
      if (event.key === RECORDED) events.push(event);
    };
    recorded.push({ fault: name, events });
    const until = performance.now() + phaseMs;
    const going = () => performance.now() < until;
    const load = [
      ...processes.flatMap((process) =>
        Array.from({ length: READERS }, () => readers(world, process, random.fork(), going)),
      ),
      ...Array.from({ length: WRITERS }, () => writers(world, random.fork(), going)),
    ];
    await Promise.all([...load, FAULTS[name](world, random.fork(), going)]);
    history.recorder = null;
    bodies += await calm(world);
    if (history.violations.length > 0) {
      history.violation(`(all of this while ${name})`);
      break;
    }
  }
  const counts: Record<string, number> = {};
  for (const { larder } of processes) {
    for (const [name, count] of Object.entries(larder.counts())) counts[name] = (counts[name] ?? 0) + count;
  }
  return {
    seed,
    judged: history.judged,
    byId: history.reads.id,
    byList: history.reads.list,
    operations: history.operations,
    committed: history.writes.committed,
    answered: history.writes.answered,
    bodies,
    seconds: (performance.now() - began) / 1000,
    tally: Object.fromEntries(world.tally),
    counts,
    violations: history.violations,
    recorded,
  };
}

/** Waits until nothing moves, and then compares what is cached, wherever it is, with the rows. */
async function calm(world: StormWorld): Promise<number> {
  const { stage } = world;
  await until('Redis vouches again', async () => (await stage.keys.exists('larder:heartbeat')) === 1);
  await until('the outbox is drained', async () => {
    const [row] = await stage.sql`select from cache_outbox limit 1`;
    return row === undefined;
  });
  // Drainers do not wait until every memory has forgotten.
  await sleep(DEFAULTS.memoryTtlMs);
  stage.history.settled();
  await readAll(world);
  return checkBodies(stage);
}

/**
 * Puts a report into words.
 *
 * @param report the report
 * @returns a few lines
 */
export function describeStorm(report: StormReport): string {
  const list = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ');
  return [
    `RACE_SEED=${report.seed}: ${report.judged} reads judged (${report.byId} by id, ${report.byList} by list) of ${report.operations} operations in ${report.seconds.toFixed(0)} s,`,
    `${report.committed} commits, ${report.answered} of them answered, ${report.bodies} bodies compared with their rows in the calm;`,
    `${list(report.tally)};`,
    `found as: ${list(report.counts)}`,
    ...report.violations,
  ].join('\n');
}
