import { Redis } from 'ioredis';
import postgres, { type Sql, type TransactionSql } from 'postgres';
import type { Test } from 'tap';
import type { Scope } from '../../../src/repository/scope.ts';
import { freshDatabase, type TestDatabase } from '../../support/services.ts';
import { type Contract, History, type Reading, type Writing } from './history.ts';
import { DEFAULTS, eventually, type LarderProcess, openProcess, type ProcessOptions } from './process.ts';
import { openRedisControl, type RedisControl } from './redis-control.ts';
import { type Change, deleteRow, type EntityName, insertRow, keyOf, type Row, tableOf, updateRow } from './rows.ts';
import { across, open, type Seam } from './seams.ts';

/** What a write goes through: the database alone, as psql does, or the database and then a process' invalidation. */
export type Via = 'psql' | LarderProcess;

/** A database, a Redis and processes of Larder on them, with a history of all that is written and read. */
export interface Stage {
  readonly history: History;
  readonly database: TestDatabase;
  readonly redis: RedisControl;
  readonly sql: Sql;
  /** A client of the Redis itself. */
  readonly keys: Redis;
  /** Opens a process; it is closed when the test ends. */
  open(options?: Partial<ProcessOptions>): Promise<LarderProcess>;
  /** Commits changes in one transaction; a row that is not there is inserted. */
  write(via: Via, ...changes: Change[]): Promise<void>;
  /** Reads entities of one kind by id, and tells the history. */
  byId(process: LarderProcess, entity: EntityName, ids: readonly string[], scope?: Scope): Promise<void>;
  /** Reads the list of all entities of one kind, and tells the history. */
  list(process: LarderProcess, entity: EntityName, scope?: Scope): Promise<void>;
}

/** A request for everything that a list has. */
export const WHOLE_PAGE = {
  order: 'ID',
  direction: 'ASC',
  limit: 1000,
  backward: false,
  needs: { rows: true, entities: true, positions: false, total: false, flags: false },
} as const;

/** How many rows of each kind there are. */
export type Sizes = Readonly<Record<EntityName, number>>;

/** Ids that Postgres chooses begin after this one. */
export const LAST_GIVEN_ID = 1000;

/**
 * Sets the stage: rows of each kind with the ids from 1 on.
 *
 * @param t the test that it is for
 * @param contract what reads are judged by
 * @param sizes how many rows
 * @returns the stage
 */
export async function setStage(
  t: Test,
  contract: Partial<Contract> = {},
  sizes: Sizes = { Brand: 4, Campaign: 8, Event: 8 },
): Promise<Stage> {
  const history = new History({ maxStalenessMs: DEFAULTS.maxStalenessMs, ...contract });
  const [database, redis] = await Promise.all([freshDatabase(t), openRedisControl(t)]);
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
    open: async (options = {}) => {
      const process = await openProcess({ databaseUrl: database.url, redisUrl: redis.url, ...options });
      t.teardown(() => process.close());
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
    list: async (process, entity, scope = process.scope()) => {
      const reading = history.reading('list', 'process');
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
  if (entity === 'Brand') return repositories.brand;
  return entity === 'Campaign' ? repositories.campaign : repositories.event;
}

/**
 * The mark that an entity carries, after a check that all of its texts carry the same.
 *
 * @param entity what a repository returned
 * @param history told of a body that was put together from two states
 * @returns the mark; `null` for `null`
 */
export function markOf(entity: object | null, history: History): string | null {
  if (entity === null) return null;
  const { id, name, title = name, body = title } = entity as Record<string, string>;
  if (title !== body) history.violation(`an entity with id ${id} has the title ${title} and the body ${body}`);
  return title ?? '';
}

/**
 * Judges a page that has all entities of the history whose keys begin so: those on it, and those that are not.
 *
 * @param history the history
 * @param reading the read
 * @param prefix how the keys begin
 * @param items the page's items
 * @param onList whether an entity would be on this list if it existed
 */
export function sawPage(
  history: History,
  reading: Reading,
  prefix: string,
  items: readonly { readonly id: string; readonly entity: object | null }[],
  onList: (id: string) => boolean = () => true,
): void {
  const found = new Map(items.map((item) => [`${prefix}${item.id}`, item.entity]));
  for (const key of history.keys()) {
    const id = key.slice(prefix.length);
    if (!key.startsWith(prefix) || found.has(key) || !onList(id)) continue;
    // What was created and deleted again long ago would be counted with every list that it is not on.
    if (Number(id) <= LAST_GIVEN_ID || history.newest(key) !== null) reading.saw(key, null);
  }
  for (const [key, entity] of found) reading.saw(key, markOf(entity, history));
}

/** Keeps writes of one row in the order in which the history has them. */
export class Locks {
  readonly #tails = new Map<string, Promise<void>>();

  /**
   * Waits for locks and takes them.
   *
   * @param keys what to lock
   * @returns a function that gives them back
   */
  async take(keys: readonly string[]): Promise<() => void> {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const before = keys.map((key) => this.#tails.get(key));
    // All at once and without a pause, so that two writers never wait for each other.
    for (const [i, key] of keys.entries())
      this.#tails.set(
        key,
        Promise.all([before[i], released]).then(() => {}),
      );
    await Promise.all(before);
    return release;
  }
}

/** A write: what is changed, where, and who is told. */
export interface Commit {
  readonly sql: Sql;
  readonly history: History;
  readonly locks: Locks;
  readonly via: Via;
  readonly changes: readonly Change[];
  /** What the transaction passes, and what lies between its commit and the invalidation. */
  readonly seam?: Seam;
}

/**
 * Commits changes, in the order that the history has, and lets a process tell all others if it is an API write.
 *
 * @param write the write
 */
export async function commit({ sql, history, locks, via, changes, seam = open }: Commit): Promise<void> {
  const release = await locks.take(changes.map(({ row }) => keyOf(row)));
  const work = async () => {
    let writings: Writing[] = [];
    try {
      await sql.begin(async (transaction) => {
        const marks: (string | null)[] = [];
        for (const change of changes) marks.push(await apply(transaction, history, change));
        writings = changes.map(({ row }, i) => history.writing(keyOf(row), marks[i] ?? null));
      });
      for (const writing of writings) writing.committed();
    } finally {
      release();
    }
    return writings;
  };
  const writings = await across(seam, 'write', work);
  if (via === 'psql') return;
  try {
    await via.cache.invalidate(
      changes.map(({ row }) => row),
      true,
    );
  } catch (error) {
    // As the repository does it: what is committed has not failed, and the outbox has it.
    via.storage.onInvalidationFailed(error instanceof Error ? error : new Error(String(error)));
    return;
  }
  for (const writing of writings) writing.answered();
}

/** Thrown to roll back. */
export class Undone extends Error {}

/**
 * Waits for the end of a transaction that is to be rolled back.
 *
 * @param transaction one that throws `Undone`
 * @throws what else it throws
 */
export async function undone(transaction: Promise<unknown>): Promise<void> {
  try {
    await transaction;
  } catch (error) {
    if (!(error instanceof Undone)) throw error;
  }
}

/** Does one change within a transaction, and returns what the row then holds. */
async function apply(transaction: TransactionSql, history: History, change: Change): Promise<string | null> {
  const { row } = change;
  const key = keyOf(row);
  if (change.delete) {
    await deleteRow(transaction, row);
    return null;
  }
  const mark = history.mark(key);
  if (history.newest(key) === null) await insertRow(transaction, row, mark, change.brand);
  else await updateRow(transaction, row, mark);
  return mark;
}

/**
 * Waits until Redis holds the body of a row and vouches for it.
 *
 * @param stage the stage; at least one process drains
 * @param process who reads it
 * @param row the row
 */
export async function warm(stage: Stage, process: LarderProcess, { entity, id }: Row): Promise<void> {
  await eventually('the body is in Redis', async () => {
    await stage.byId(process, entity, [id]);
    return /"version"/.test((await stage.keys.get(keyOf({ entity, id }))) ?? '');
  });
}

/**
 * Waits until the outbox is empty and every message has arrived, and says so to the history: from then on every read must
 * find the newest state.
 *
 * @param stage the stage; at least one process drains
 */
export async function settle(stage: Stage): Promise<void> {
  await eventually('the outbox is drained', async () => {
    const [row] = await stage.sql`select from cache_outbox limit 1`;
    return row === undefined;
  });
  stage.history.settled();
}
