import type { Test } from 'tap';
import { slotOf } from '../../../src/cache/cluster/slots.ts';
import type { ClusterServer } from '../../../src/cli/services/redis-cluster.ts';
import { createLarder } from '../../../src/index.ts';
import { entities, makeTables } from '../../support/library.ts';
import type { TestCluster } from '../../support/redis-cluster.ts';
import { freshDatabase, type TestDatabase } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';

/** The ids of the shelves. */
export const IDS = Array.from({ length: 40 }, (_, i) => String(i + 1));
/** @returns the key of a shelf */
export const keyOf = (id: string) => `Shelf-${id}`;

/** Long enough for a busy machine, and short enough that nobody waits long for a node that is gone. */
const TIMEOUT_MS = 1000;

/**
 * @param t the test that it is for
 * @returns a database with shelves, each of them with the title `0`
 */
export async function makeShelves(t: Test): Promise<TestDatabase> {
  const database = await freshDatabase(t);
  const sql = openSql(t, database);
  await makeTables(sql);
  await sql`insert into libraries (id, name) values (1, 'the only one')`;
  await sql`insert into shelves (id, library_id, title) select n, 1, '0' from generate_series(1, 40) n`;
  return database;
}

/**
 * Opens a process of Larder, and what reads by id there, with how many statements that took.
 *
 * @param t the test that it is for
 * @param cluster its Redis
 * @param database where the shelves are
 * @param memoryMaxEntries how much it keeps in memory
 * @returns the process
 */
export async function openShelves(
  t: Test,
  cluster: Pick<TestCluster, 'url'>,
  database: TestDatabase,
  memoryMaxEntries: number,
) {
  const larder = await createLarder({
    entities,
    postgres: { url: database.url },
    redis: { url: cluster.url, timeoutMs: TIMEOUT_MS },
    cache: { memoryMaxEntries },
  });
  t.teardown(larder.close);
  const read = async (ids: readonly string[]) => {
    const context = larder.createContext();
    const shelves = await larder.repositories.Shelf.findByIds(ids, context.scope);
    return { titles: shelves.map((shelf) => shelf?.title), statements: context.scope.trace.sql.statements };
  };
  const isCached = async (ids: readonly string[]) => (await read(ids)).statements === 0;
  const rename = (id: string, title: string) => larder.repositories.Shelf.update(id, { title });
  return { larder, read, isCached, rename };
}

/** @returns which of the ids are in the slots that a master began with */
export function idsOf(cluster: TestCluster, node: ClusterServer): string[] {
  const share = 16_384 / cluster.masters.length;
  const place = cluster.masters.indexOf(node);
  return IDS.filter((id) => Math.floor(slotOf(keyOf(id)) / share) === place);
}
