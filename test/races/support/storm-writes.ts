import { setTimeout as sleep } from 'node:timers/promises';
import type { TransactionSql } from 'postgres';
import { commit, Undone, undone, type Via } from '../../stage/commit.ts';
import { type Change, type EntityName, keyOf, type Row, tableOf } from '../../stage/rows.ts';
import type { Random } from './random.ts';
import { count, isDeletable, SIZES, type StormProcess, type World } from './storm-world.ts';

const KINDS: readonly EntityName[] = ['Brand', 'Campaign', 'Event'];

/** Rows of one kind that may have been created and not yet deleted. */
const MOST_BORN = 6;

/**
 * Writes, one write after the other.
 *
 * @param world the storm
 * @param random what is written
 * @param going whether to go on
 */
export async function writers(world: World, random: Random, going: () => boolean): Promise<void> {
  while (going()) {
    await anyWrite(world, random);
    await sleep(random.below(12));
  }
}

async function anyWrite(world: World, random: Random): Promise<void> {
  const process = random.pick(world.processes);
  const dice = random.next();
  if (dice < 0.25) await transaction(world, random, process.larder);
  else if (dice < 0.5) await transaction(world, random, 'psql');
  else if (dice < 0.7) await byRepository(world, random, process);
  else if (dice < 0.82) await create(world, random, process);
  else if (dice < 0.92) await rollBack(world, random);
  else if (dice < 0.996) await wholeTable(world, random.pick(KINDS));
  else await truncateEvents(world);
}

function anyRow(world: World, random: Random): Row {
  const born = random.chance(0.1) ? world.born[random.below(world.born.length)] : undefined;
  if (born !== undefined) return born;
  const entity = random.pick(KINDS);
  return { entity, id: String(1 + Math.floor(SIZES[entity] * random.next() ** 2)) };
}

/** One to three rows, some of them deleted, some put back. */
async function transaction(world: World, random: Random, via: Via): Promise<void> {
  const rows = new Map<string, Row>();
  for (let i = random.chance(0.6) ? 1 : 3; i > 0; i -= 1) {
    const row = anyRow(world, random);
    rows.set(keyOf(row), row);
  }
  const changes = [...rows.values()].map((row): Change => ({ row, delete: isDeletable(row) && random.chance(0.3) }));
  await write(world, via, changes);
}

async function write(world: World, via: Via, changes: readonly Change[]): Promise<void> {
  count(world, via === 'psql' ? 'psql transactions' : 'API transactions');
  await commit({ sql: world.stage.sql, history: world.stage.history, locks: world.locks, via, changes });
}

/** As a mutation does it. The repository does not say when it had committed, only when it is done. */
async function byRepository(world: World, random: Random, process: StormProcess): Promise<void> {
  const { history } = world.stage;
  const row = anyRow(world, random);
  const key = keyOf(row);
  const release = await world.locks.take([key]);
  try {
    if (history.newest(key) === null) return;
    const remove = isDeletable(row) && random.chance(0.3);
    const writing = history.writing(key, remove ? null : history.mark(key));
    const failed = process.larder.invalidationsFailed();
    if (remove) await repositoryOf(process, row.entity).delete(row.id, process.larder.scope());
    else
      await repositoryOf(process, row.entity).update(
        row.id,
        fields(row.entity, writing.mark ?? ''),
        process.larder.scope(),
      );
    writing.committed();
    if (process.larder.invalidationsFailed() === failed) writing.answered();
    count(world, remove ? 'repository deletes' : 'repository updates');
  } finally {
    release();
  }
}

/** Creates a row whose id was known not to exist, or deletes one that was created so. */
async function create(world: World, random: Random, process: StormProcess): Promise<void> {
  const { history } = world.stage;
  const entity = random.pick(KINDS);
  const alike = world.born.filter((row) => row.entity === entity);
  const oldest = alike[0];
  if (oldest !== undefined && alike.length >= MOST_BORN) {
    world.born.splice(world.born.indexOf(oldest), 1);
    if (history.newest(keyOf(oldest)) !== null) await write(world, process.larder, [{ row: oldest, delete: true }]);
    return;
  }
  const release = await world.locks.take([birthsOf(entity)]);
  try {
    const birth = history.birth(history.mark());
    const failed = process.larder.invalidationsFailed();
    const values = { ...fields(entity, birth.mark ?? ''), ...more(entity) };
    const created = await repositoryOf(process, entity).create(values, process.larder.scope());
    const row: Row = { entity, id: created.id };
    birth.born(keyOf(row));
    birth.committed();
    if (process.larder.invalidationsFailed() === failed) birth.answered();
    world.born.push(row);
  } finally {
    release();
  }
  count(world, 'repository creates');
}

/** Locked while a row is created whose id is not known yet. */
function birthsOf(entity: EntityName): string {
  return `births of ${entity}`;
}

/** The writes of all repositories look alike, once the fields fit. */
interface Writes {
  create(values: object, scope: unknown): Promise<{ readonly id: string }>;
  update(id: string, changes: object, scope: unknown): Promise<unknown>;
  delete(id: string, scope: unknown): Promise<boolean>;
}

function repositoryOf({ larder }: StormProcess, entity: EntityName): Writes {
  const { Brand: brand, Campaign: campaign, Event: event } = larder.repositories;
  return (entity === 'Brand' ? brand : entity === 'Campaign' ? campaign : event) as unknown as Writes;
}

function fields(entity: EntityName, mark: string): object {
  return entity === 'Brand' ? { name: mark } : { title: mark, body: mark };
}

function more(entity: EntityName): object {
  if (entity === 'Campaign') return { brandId: '1' };
  return entity === 'Event' ? { startsAt: '2027-01-01T00:00:00Z' } : {};
}

/** Changes a row, takes a part of it back, and then all. */
async function rollBack(world: World, random: Random): Promise<void> {
  const row = anyRow(world, random);
  const key = keyOf(row);
  const release = await world.locks.take([key]);
  const { history, sql } = world.stage;
  const update = async (transaction: TransactionSql, mark: string) => {
    if (row.entity === 'Brand') await transaction`update brands set name = ${mark} where id = ${row.id}`;
    else await transaction`update ${sql(tableOf(row.entity))} set title = ${mark}, body = ${mark} where id = ${row.id}`;
  };
  const writing = history.writing(key, history.mark(key));
  try {
    await undone(
      sql.begin(async (transaction) => {
        await update(transaction, writing.mark ?? '');
        await undone(
          transaction.savepoint(async (part) => {
            await update(part, 'undone in part');
            throw new Undone();
          }),
        );
        await sleep(random.below(20));
        throw new Undone();
      }),
    );
  } finally {
    writing.undone();
    release();
  }
  count(world, 'rollbacks');
}

function allOf(world: World, entity: EntityName): Row[] {
  const old = Array.from({ length: SIZES[entity] }, (_, i): Row => ({ entity, id: String(1 + i) }));
  return [...old, ...world.born.filter((row) => row.entity === entity)];
}

/** Every row that is there, in one statement. */
async function wholeTable(world: World, entity: EntityName): Promise<void> {
  const { history, sql } = world.stage;
  const rows = allOf(world, entity);
  const release = await world.locks.take(rows.map(keyOf));
  try {
    const present = rows.filter((row) => history.newest(keyOf(row)) !== null);
    const marks = present.map((row) => history.mark(keyOf(row)));
    const ids = present.map(({ id }) => id);
    const writings = await sql.begin(async (transaction) => {
      const marked = transaction`(select unnest(${ids}::bigint[]) as id, unnest(${marks}::text[]) as mark) marked`;
      if (entity === 'Brand') await transaction`update brands t set name = mark from ${marked} where t.id = marked.id`;
      else {
        const table = transaction(tableOf(entity));
        await transaction`update ${table} t set title = mark, body = mark from ${marked} where t.id = marked.id`;
      }
      return present.map((row, i) => history.writing(keyOf(row), marks[i] ?? null));
    });
    for (const writing of writings) writing.committed();
  } finally {
    release();
  }
  count(world, 'whole tables updated');
}

async function truncateEvents(world: World): Promise<void> {
  const { history, sql } = world.stage;
  const releaseBirths = await world.locks.take([birthsOf('Event')]);
  // Those included that were deleted: somebody may be putting them back.
  const keys = history.keys().filter((key) => key.startsWith('Event-'));
  const release = await world.locks.take(keys);
  try {
    const writings = await sql.begin(async (transaction) => {
      // In the order in which lists lock them.
      await transaction`lock table campaign_events in access exclusive mode`;
      await transaction`truncate events cascade`;
      return keys.map((key) => history.writing(key, null));
    });
    for (const writing of writings) writing.committed();
  } finally {
    release();
    releaseBirths();
  }
  count(world, 'truncations');
}
