import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from 'postgres';
import type { Test } from 'tap';
import { openSql } from '../../support/server.ts';
import { freshDatabase, type TestDatabase } from '../../support/services.ts';
import { until } from '../../support/until.ts';
import { type Judge, judgedRows, startJudge, type Verdict } from './judge.ts';
import { type LarderChild, QUICK, startLarder } from './larder.ts';

/** How old an entity read by id may be in these tests, in milliseconds. */
export const MAX_STALENESS_MS = 2500;

/** A server whose answers are judged while something is done to its stores. */
export interface Scene {
  readonly larder: LarderChild;
  readonly judge: Judge;
  readonly sql: Sql;
}

/** What to start a scene on. */
export interface SceneOptions {
  /** Where the server finds Postgres; a fresh database of the run's Postgres when it is not given. */
  readonly databaseUrl?: string;
  readonly redisUrl: string;
  /** The test's own way to the database; one of its own when it is not given. */
  readonly sql?: Sql;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts a server with rows that change all the time, and readers that judge what they see.
 *
 * @param t the test that it is for
 * @param options what to start it on
 * @returns the scene
 */
export async function startScene(t: Test, options: SceneOptions): Promise<Scene> {
  const fresh: Pick<TestDatabase, 'url'> | null = options.databaseUrl === undefined ? await freshDatabase(t) : null;
  const url = options.databaseUrl ?? (fresh?.url as string);
  const sql = options.sql ?? openSql(t, { url });
  await judgedRows(sql);
  const larder = await startLarder(t, {
    ...QUICK,
    MAX_STALENESS_MS: String(MAX_STALENESS_MS),
    MEMORY_TTL_MS: '500',
    DATABASE_URL: url,
    REDIS_URL: options.redisUrl,
    ...options.env,
  });
  const judge = startJudge({ larder, sql, maxStalenessMs: MAX_STALENESS_MS });
  t.teardown(() => judge.stop());
  return { larder, judge, sql };
}

/** How often a read of bodies asks Redis at most: for the bodies, for leases, for those that others had leased, and to fill. */
const ROUND_TRIPS = 4;

/** What must have been seen before watching ends, and what may be. */
export interface WatchOptions {
  /** Reads that were answered. */
  readonly answered?: number;
  /** Bodies of them that no cache was asked for. */
  readonly bypassed?: number;
  /** Reads that were told to come again; none may be when it is not given. */
  readonly unavailable?: number;
}

/**
 * Watches until enough has been seen, and judges it.
 *
 * @param t the test that it is for
 * @param scene the server
 * @param what what is going on meanwhile, in words
 * @param options how much is enough
 * @returns what was seen since the last watching ended
 */
export async function watch(t: Test, { judge, larder }: Scene, what: string, options: WatchOptions): Promise<Verdict> {
  const { answered = 0, bypassed = 0, unavailable } = options;
  const total: Verdict = { answered: 0, unavailable: 0, bypassed: 0, roundTrips: 0, wrong: [] };
  await until(`enough is read while ${what}`, async () => {
    const seen = judge.verdict();
    total.answered += seen.answered;
    total.unavailable += seen.unavailable;
    total.bypassed += seen.bypassed;
    total.roundTrips = Math.max(total.roundTrips, seen.roundTrips);
    total.wrong.push(...seen.wrong);
    const enough = total.answered >= answered && total.bypassed >= bypassed && total.unavailable >= (unavailable ?? 0);
    return enough || total.wrong.length > 0 || !larder.alive();
  }).catch((error: Error) => t.fail(error.message));
  t.comment(what, { ...total, wrong: total.wrong.length });
  t.ok(larder.alive(), `${what}: the server lives`) || t.comment(larder.output().slice(-3000));
  t.same(total.wrong.slice(0, 3), [], `${what}: every answer is right`);
  if (unavailable === undefined) t.equal(total.unavailable, 0, `${what}: every read is answered`);
  t.ok(
    total.roundTrips <= ROUND_TRIPS,
    `${what}: a read by id asks Redis ${total.roundTrips} times at most, and then Postgres`,
  );
  return total;
}

/**
 * Watches as `watch` does, again and again until every read of a spell was answered: where a machine stands still for longer than a
 * statement may take, some are told to come again.
 *
 * @param t the test that it is for
 * @param scene the server
 * @param what what is going on meanwhile, in words
 * @param enough how much is enough of a spell
 */
export async function watchAnswered(
  t: Test,
  scene: Scene,
  what: string,
  enough: Omit<WatchOptions, 'unavailable'>,
): Promise<void> {
  await until(`every read is answered while ${what}`, async () => {
    const { unavailable } = await watch(t, scene, what, { ...enough, unavailable: 0 });
    return unavailable === 0;
  }).catch((error: Error) => t.fail(error.message));
}

/**
 * Waits until `/readyz` says something: it asks Postgres for a second at most, and a machine that stands still takes longer.
 *
 * @param t the test that it is for
 * @param larder the server
 * @param what what it is to say, in words
 * @param status of the response
 * @param fields what its body is to hold, among others
 */
export async function says(
  t: Test,
  larder: LarderChild,
  what: string,
  status: number,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await until(`/readyz says that ${what}`, async () => {
    const answer = await larder.get('/readyz');
    return answer.status === status && Object.entries(fields).every(([name, value]) => answer.body[name] === value);
  }).catch((error: Error) => t.fail(error.message));
}

/** The next id that names nothing and that nobody has asked for. */
let unheardOf = 1_000_000;

/**
 * Waits until Redis vouches for bodies and takes them, and no connection is left that does not answer, and sees that all is well then.
 *
 * @param t the test that it is for
 * @param scene the server
 * @param what what was mended, in words
 */
export async function recovers(t: Test, scene: Scene, what: string): Promise<void> {
  await until(`Redis takes bodies again ${what}`, async () => {
    unheardOf += 1;
    const id = Buffer.from(`Campaign:${unheardOf}`).toString('base64');
    const { extensions } = await scene.larder.query(`{ campaign(id: "${id}") { title } }`);
    const counts = extensions?.dataFetching?.cache.Campaign;
    return counts?.bypassed === 0 && counts.fills === 1;
  }).catch((error: Error) => t.fail(error.message));
  // What was asked before may have been answered only now, and memory answers so much that a connection may not have been tried for long.
  await until(`nobody is told to come again ${what}`, async () => {
    await watch(t, scene, `${what}, at first`, { answered: 60, unavailable: 0 });
    await sleep(1500);
    const { wrong, unavailable } = scene.judge.verdict();
    t.same(wrong.slice(0, 3), [], `${what}: every answer is right`);
    return unavailable === 0;
  }).catch((error: Error) => t.fail(error.message));
  await watchAnswered(t, scene, what, { answered: 60 });
  const ready = { status: 'ready', postgres: true, redis: true };
  await says(t, scene.larder, `it is ready ${what}`, 200, ready);
}
