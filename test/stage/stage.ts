import { Redis } from 'ioredis';
import postgres, { type Sql } from 'postgres';
import type { Test } from 'tap';
import type { Scope } from '../../src/bodies/scope.ts';
import type { TestCluster } from '../support/redis-cluster.ts';
import { freshDatabase, type TestDatabase } from '../support/services.ts';
import { until } from '../support/until.ts';
import { commit, Locks, type Via } from './commit.ts';
import { type Contract, History } from './history.ts';
import { markOf, sawPage, WHOLE_PAGE } from './pages.ts';
import { DEFAULTS, type LarderProcess, openProcess, type ProcessOptions } from './process.ts';
import { openRedisControl, type RedisControl } from './redis-control.ts';
import { type Change, type EntityName, keyOf, LAST_GIVEN_ID, type Row, tableOf } from './rows.ts';

/** The Redis of a stage, whether it is one or a cluster. */
interface StageRedis {
  readonly url: string;
  /** Whether it is vouched for, all nodes of it. */
  vouches(): Promise<boolean>;
  /** The text under a key, whichever node has that. */
  held(key: string): Promise<string | null>;
}

/** A database, a Redis or a cluster, and processes of Larder on them, with a history of all that is written and read. */
export interface AnyStage extends Omit<StageRedis, 'url'> {
  readonly history: History;
  readonly database: Pick<TestDatabase, 'url'>;
  readonly sql: Sql;
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

/** A stage on a Redis of its own. */
export interface Stage extends AnyStage {
  readonly redis: RedisControl;
  /** A client of the Redis itself. */
  readonly keys: Redis;
}

/** What a stage on a database of the test run has besides: that counts what it is asked. */
export interface Counting {
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
export async function setStage(t: Test, contract: Partial<Contract> = {}, sizes?: Sizes): Promise<Stage & Counting> {
  const database = await freshDatabase(t);
  // The stage itself changes: a copy would not be told of it.
  return Object.assign(await setStageOn(t, database, contract, sizes), { database });
}

/** As `setStage`, on a migrated and empty database of one's own. */
export async function setStageOn(
  t: Test,
  database: Stage['database'],
  contract: Partial<Contract> = {},
  sizes?: Sizes,
): Promise<Stage> {
  const redis = await openRedisControl(t);
  const keys = new Redis(redis.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  keys.on('error', () => {});
  t.teardown(() => keys.disconnect());
  const place: StageRedis = {
    url: redis.url,
    vouches: async () => (await keys.exists('larder:heartbeat')) === 1,
    held: (key) => keys.get(key),
  };
  return Object.assign(await setAnyStage(t, database, place, contract, sizes), { redis, keys });
}

/** As `setStage`, on a cluster. */
export async function setStageOnCluster(
  t: Test,
  cluster: TestCluster,
  contract: Partial<Contract> = {},
  sizes?: Sizes,
): Promise<AnyStage & Counting> {
  const database = await freshDatabase(t);
  const clients = cluster.masters.map((master) => ({ master, client: cluster.client(master) }));
  const place: StageRedis = {
    url: cluster.url,
    async vouches() {
      const names = await Promise.all(
        clients.map(async ({ master, client }) => {
          const found = await client.keys('larder:heartbeat:*');
          return found.some((name) => name.endsWith(`:${master.id}`));
        }),
      );
      return names.every((found) => found);
    },
    async held(key) {
      for (const { client } of clients) {
        const [found] = await client.keys(key);
        if (found !== undefined) return client.get(key);
      }
      return null;
    },
  };
  return Object.assign(await setAnyStage(t, database, place, contract, sizes), { database });
}

async function setAnyStage(
  t: Test,
  database: Stage['database'],
  { url: redisUrl, vouches, held }: StageRedis,
  contract: Partial<Contract>,
  sizes: Sizes = { Brand: 4, Campaign: 8, Event: 8 },
): Promise<AnyStage> {
  const history = new History({ maxStalenessMs: DEFAULTS.maxStalenessMs, ...contract });
  const sql = postgres(database.url, { max: 16, onnotice: () => {}, connection: { TimeZone: 'UTC' } });
  t.teardown(() => sql.end({ timeout: 5 }));
  const locks = new Locks();
  const write: Stage['write'] = (via, ...changes) => commit({ sql, history, locks, via, changes });
  const stage: AnyStage = {
    history,
    database,
    sql,
    vouches,
    held,
    beats: false,
    open: async (options = {}) => {
      const chosen = { databaseUrl: database.url, redisUrl, ...options };
      const process = await openProcess(chosen);
      t.teardown(() => process.close());
      if (chosen.redisUrl !== null && options.drains !== false) stage.beats = true;
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

async function fill({ history, write, sql }: AnyStage, sizes: Sizes): Promise<void> {
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
export async function warm(stage: AnyStage, process: LarderProcess, { entity, id }: Row): Promise<void> {
  await until('the body is in Redis', async () => {
    process.cache.forget([keyOf({ entity, id })]);
    await stage.byId(process, entity, [id]);
    return /"version"/.test((await stage.held(keyOf({ entity, id }))) ?? '');
  });
}

/**
 * Waits until the outbox is empty and Redis vouches for what it holds, and says so to the history: from then on every read
 * must find the newest state.
 *
 * @param stage the stage; at least one process drains
 */
export async function settle(stage: AnyStage): Promise<void> {
  await until('the outbox is drained', async () => {
    const [row] = await stage.sql`select from cache_outbox limit 1`;
    return row === undefined;
  });
  if (stage.beats) {
    await until('Redis vouches', stage.vouches);
  }
  stage.history.settled();
}
