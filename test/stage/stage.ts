import { Redis } from 'ioredis';
import postgres, { type Sql } from 'postgres';
import type { Test } from 'tap';
import type { Scope } from '../../src/bodies/scope.ts';
import { freshDatabase, type TestDatabase } from '../support/services.ts';
import { until } from '../support/until.ts';
import { commit, Locks, type Via } from './commit.ts';
import { type Contract, History } from './history.ts';
import { markOf, sawPage, WHOLE_PAGE } from './pages.ts';
import { DEFAULTS, type LarderProcess, openProcess, type ProcessOptions } from './process.ts';
import { openRedisControl, type RedisControl } from './redis-control.ts';
import { type Change, type EntityName, keyOf, LAST_GIVEN_ID, type Row, tableOf } from './rows.ts';

/** A database, a Redis and processes of Larder on them, with a history of all that is written and read. */
export interface Stage {
  readonly history: History;
  readonly database: Pick<TestDatabase, 'url'>;
  readonly redis: RedisControl;
  readonly sql: Sql;
  /** A client of the Redis itself. */
  readonly keys: Redis;
  /** Whether a process was opened that vouches for what Redis holds. */
  beats: boolean;
  /** Opens a process; it is closed when the test ends. */
  open(options?: Partial<ProcessOptions>): Promise<LarderProcess>;
  /** Commits changes in one transaction; a row that is not there is inserted. */
  write(via: Via, ...changes: Change[]): Promise<void>;
  /** Reads entities of one kind by id, and tells the history. */
  byId(process: LarderProcess, entity: EntityName, ids: readonly string[], scope?: Scope): Promise<void>;
  /**
   * Reads the list of all entities of one kind, and tells the history.
   *
   * @param lagMs how old the list may be, in milliseconds: it is judged as if it had been asked for so long ago
   */
  list(process: LarderProcess, entity: EntityName, scope?: Scope, lagMs?: number): Promise<void>;
}

/** A stage on a database of the test run, which counts what it is asked. */
export interface CountingStage extends Stage {
  readonly database: TestDatabase;
}

/** How many rows of each kind there are. */
export type Sizes = Readonly<Record<EntityName, number>>;

/**
 * Sets the stage: rows of each kind with the ids from 1 on.
 *
 * @param t the test that it is for
 * @param contract what reads are judged by
 * @param sizes how many rows
 * @returns the stage
 */
export async function setStage(t: Test, contract: Partial<Contract> = {}, sizes?: Sizes): Promise<CountingStage> {
  const database = await freshDatabase(t);
  return { ...(await setStageOn(t, database, contract, sizes)), database };
}

/** As `setStage`, on a migrated and empty database of one's own. */
export async function setStageOn(
  t: Test,
  database: Stage['database'],
  contract: Partial<Contract> = {},
  sizes: Sizes = { Brand: 4, Campaign: 8, Event: 8 },
): Promise<Stage> {
  const history = new History({ maxStalenessMs: DEFAULTS.maxStalenessMs, ...contract });
  const redis = await openRedisControl(t);
  const sql = postgres(database.url, { max: 16, onnotice: () => {}, connection: { TimeZone: 'UTC' } });
  const keys = new Redis(redis.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  keys.on('error', () => {});
  t.teardown(async () => {
    keys.disconnect();
    await sql.end({ timeout: 5 });
  });
  const locks = new Locks();
  const write: Stage['write'] = (via, ...changes) => commit({ sql, history, locks, via, changes });
  const stage: Stage = {
    history,
    database,
    redis,
    sql,
    keys,
    beats: false,
    open: async (options = {}) => {
      const process = await openProcess({ databaseUrl: database.url, redisUrl: redis.url, ...options });
      t.teardown(() => process.close());
      if (process.redis !== null && options.drains !== false) stage.beats = true;
      return process;
    },
    write,
    byId: async (process, entity, ids, scope = process.scope()) => {
      const reading = history.reading('id', 'process');
      const found = await repositoryOf(process, entity).findByIds(ids, scope);
      ids.forEach((id, i) => {
        reading.saw(keyOf({ entity, id }), markOf(found[i] ?? null, history));
      });
    },
    list: async (process, entity, scope = process.scope(), lagMs = 0) => {
      const reading = history.reading('list', 'process', performance.now() - lagMs);
      const [page] = await repositoryOf(process, entity).list('all', [WHOLE_PAGE], scope);
      sawPage(history, reading, `${entity}-`, page?.items ?? []);
    },
  };
  await fill(stage, sizes);
  return stage;
}

async function fill({ history, write, sql }: Stage, sizes: Sizes): Promise<void> {
  const rows: Row[] = [];
  for (const entity of ['Brand', 'Campaign', 'Event'] as const) {
    for (let id = 1; id <= sizes[entity]; id += 1) rows.push({ entity, id: String(id) });
    await sql`select setval(pg_get_serial_sequence(${tableOf(entity)}, 'id'), ${LAST_GIVEN_ID})`;
  }
  for (const row of rows) history.declare(keyOf(row), null);
  await write('psql', ...rows.map((row) => ({ row })));
}

/** Which process' repository reads and writes a kind of entity. */
export function repositoryOf({ repositories }: LarderProcess, entity: EntityName) {
  if (entity === 'Brand') return repositories.Brand;
  return entity === 'Campaign' ? repositories.Campaign : repositories.Event;
}

/**
 * Waits until Redis holds the body of a row and vouches for it. What the process itself holds would keep it from asking Redis: it may have
 * read the row at a moment when no process vouched, and that body goes nowhere but to its memory.
 *
 * @param stage the stage; at least one process drains
 * @param process who reads it
 * @param row the row
 */
export async function warm(stage: Stage, process: LarderProcess, { entity, id }: Row): Promise<void> {
  await until('the body is in Redis', async () => {
    process.cache.forget([keyOf({ entity, id })]);
    await stage.byId(process, entity, [id]);
    return /"version"/.test((await stage.keys.get(keyOf({ entity, id }))) ?? '');
  });
}

/**
 * Waits until the outbox is empty and Redis vouches for what it holds, and says so to the history: from then on every read
 * must find the newest state.
 *
 * @param stage the stage; at least one process drains
 */
export async function settle(stage: Stage): Promise<void> {
  await until('the outbox is drained', async () => {
    const [row] = await stage.sql`select from cache_outbox limit 1`;
    return row === undefined;
  });
  if (stage.beats) {
    await until('Redis vouches', async () => (await stage.keys.exists('larder:heartbeat')) === 1);
  }
  stage.history.settled();
}
