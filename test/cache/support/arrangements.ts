import type { Test } from 'tap';
import { createScope, type Scope } from '../../../src/bodies/scope.ts';
import { type CacheCounts, noCounts } from '../../../src/trace/cache-counts.ts';
import { Trace } from '../../../src/trace/trace.ts';
import type { LarderProcess, ProcessOptions } from '../../stage/process.ts';
import { type AnyStage, type Counting, setStage, setStageOnCluster, settle } from '../../stage/stage.ts';
import { freshCluster } from '../../support/redis-cluster.ts';
import { until } from '../../support/until.ts';

/** Which tiers a process has. */
export interface Arrangement {
  readonly name: string;
  readonly memory: boolean;
  readonly redis: boolean;
  /** Whether its Redis is a cluster. */
  readonly cluster?: true;
  readonly options: Partial<ProcessOptions>;
}

/**
 * How long memory is trusted after an echo, of which four come in a second, in milliseconds. Several of them may be late on a busy machine
 * before anything is read that need not be. Without Redis there are none, and who waits for that time had better not wait long.
 */
const MEMORY_TTL_MS = 1500;

/** So long that Redis is vouched for however long a busy machine takes. */
const MAX_STALENESS_MS = 60_000;

const LONG = { memoryTtlMs: MEMORY_TTL_MS, maxStalenessMs: MAX_STALENESS_MS };

/** The campaigns that a stage has, and one that it has not. */
const CAMPAIGNS = ['1', '2', '3', '4', '5', '6', '7', '8', '77'];

/** The arrangements on one Redis or none that a server can be started in. */
export const ARRANGEMENTS: readonly Arrangement[] = [
  { name: 'memory alone', memory: true, redis: false, options: { redisUrl: null } },
  { name: 'Redis alone', memory: false, redis: true, options: { memoryMaxEntries: 0, ...LONG } },
  { name: 'memory before Redis', memory: true, redis: true, options: LONG },
];

/** Those on a cluster. */
export const ON_CLUSTER: readonly Arrangement[] = [
  {
    name: 'a cluster alone',
    memory: false,
    redis: true,
    cluster: true,
    options: { memoryMaxEntries: 0, ...LONG },
  },
  {
    name: 'memory before a cluster',
    memory: true,
    redis: true,
    cluster: true,
    options: LONG,
  },
];

/**
 * Sets the stage for an arrangement.
 *
 * @param t the test that it is for
 * @param arrangement the tiers
 * @returns the stage, whose processes have the Redis or the cluster unless they are opened without
 */
export async function stageFor(t: Test, { cluster }: Arrangement): Promise<AnyStage & Counting> {
  const contract = { maxStalenessMs: MAX_STALENESS_MS };
  return cluster === true ? setStageOnCluster(t, await freshCluster(t), contract) : setStage(t, contract);
}

/** What one request was answered from. */
export interface Requested<T> {
  readonly answer: T;
  readonly counts: CacheCounts;
}

/**
 * Sends one request for campaigns and looks at its figures.
 *
 * @param request what is read
 * @returns the answer and its figures
 */
export async function requested<T>(request: (scope: Scope) => Promise<T>): Promise<Requested<T>> {
  const trace = new Trace();
  const answer = await request(createScope(trace));
  return { answer, counts: trace.cache.Campaign ?? noCounts() };
}

/**
 * Opens a process and waits until every tier of it serves reads by id.
 *
 * @param stage where
 * @param arrangement its tiers
 * @param options what else it is made of
 * @returns the process, which drains unless the options say otherwise
 */
export async function openReady(
  stage: AnyStage,
  arrangement: Arrangement,
  options: Partial<ProcessOptions> = {},
): Promise<LarderProcess> {
  const process = await stage.open({ ...arrangement.options, ...options });
  if (options.drains !== false) await settle(stage);
  await until(`${arrangement.name} serves`, async () => {
    const trace = new Trace();
    for (let i = 0; i < 2; i += 1) await process.repositories.Brand.findById('1', createScope(trace));
    if ((trace.cache.Brand?.[arrangement.memory ? 'memoryHits' : 'hits'] ?? 0) === 0) return false;
    // On a cluster, each node vouches for its own. Before its first echo, nobody joins the reading of another.
    const heard = process.cache.clock.now();
    return CAMPAIGNS.every((id) => process.cache.covers(`Campaign-${id}`, heard));
  });
  return process;
}

/**
 * Counts at Postgres how often bodies of campaigns are read while something is done.
 *
 * @param stage where
 * @param action what is done
 * @returns how many SELECTs Postgres ran
 */
export async function bodyReads(stage: Counting, action: () => Promise<unknown>): Promise<number> {
  await stage.database.resetStatements();
  await action();
  const statements = await stage.database.statements();
  const bodies = statements.filter(({ query }) => /from "campaigns" t where t\."id" = any\(/.test(query));
  return bodies.reduce((sum, { calls }) => sum + calls, 0);
}

/** After so many turns a reading that costs more than it may costs it every time. */
const TURNS = 5;

/**
 * Counts as `bodyReads` does, again where it is more than enough: who hears late of changes does not join the reading of another, which a busy
 * machine may cause once.
 *
 * @param stage where
 * @param enough how many SELECTs are enough
 * @param action what is done, from the same beginning each time
 * @returns the fewest SELECTs of a turn
 */
export async function fewestBodyReads(
  stage: Counting,
  enough: number,
  action: () => Promise<unknown>,
): Promise<number> {
  let fewest = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < TURNS && fewest > enough; turn += 1)
    fewest = Math.min(fewest, await bodyReads(stage, action));
  return fewest;
}
