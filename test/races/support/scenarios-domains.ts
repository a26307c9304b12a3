import { Redis } from 'ioredis';
import { startDrainer } from '../../../src/outbox/drainer.ts';
import type { Parts } from '../../stage/process.ts';
import { setStage, settle, warm } from '../../stage/stage.ts';
import { freshDatabase, freshRedis } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';
import { until } from '../../support/until.ts';
import { read, readFromRedis, row, type Scenario } from './scenarios.ts';

/** A domain is left behind, a row is written meanwhile, and it comes back to a Redis that still has the body. */
export const leftBehind: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const larder = await stage.open({ parts, memoryMaxEntries: 0 });
  await settle(stage);
  await warm(stage, larder, row);
  await larder.stopDraining();
  await until('nobody vouches', async () => (await stage.keys.exists('larder:heartbeat')) === 0);
  await stage.write('psql', { row });
  // As the cleaner does it to a domain that has not read for long, when it removes what that would have read.
  await stage.sql`update cache_domains set position = null where run <> ''`;
  await stage.sql`delete from cache_outbox`;
  t.equal(await stage.keys.exists('Campaign-1'), 1, 'the body is still there');
  larder.drain();
  await settle(stage);
  await readFromRedis(stage, larder);
  return stage;
};

/** A domain drains a change while the process of another one does something else. */
export const inOtherDomain: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const redis = await freshRedis(t);
  const keys = new Redis(redis.url);
  t.teardown(() => keys.disconnect());
  const drainer = await stage.open({ parts });
  const other = await stage.open({ redisUrl: redis.url, memoryMaxEntries: 0 });
  await settle(stage);
  await until('the other domain has the body', async () => {
    await read(stage, other);
    return /"version"/.test((await keys.get('Campaign-1')) ?? '');
  });
  await warm(stage, drainer, row);
  await other.stopDraining();
  await stage.write('psql', { row });
  await until('the first has heard of it', async () => (await stage.keys.exists('Campaign-1')) === 0);
  other.drain();
  await settle(stage);
  await readFromRedis(stage, other);
  return stage;
};

/** A copy of the database, as its disk was, comes to the Redis of the live one. */
export const copiedDatabase: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const larder = await stage.open({ parts, memoryMaxEntries: 0 });
  await settle(stage);
  await warm(stage, larder, row);
  const database = await freshDatabase(t);
  const copy = openSql(t, database);
  for (const table of ['brands', 'campaigns', 'cache_domains']) {
    const [all] = await stage.sql<{ rows: string }[]>`select json_agg(t)::text as rows from ${stage.sql(table)} t`;
    await copy`truncate ${copy(table)} cascade`;
    await copy`insert into ${copy(table)} select * from json_populate_recordset(null::${copy(table)}, ${all?.rows ?? '[]'}::text::json)`;
  }
  // It takes itself for the database that it is a copy of, and so for the one that the domain was registered in.
  await copy`update cache_domains set database = cache_outbox_database(), position = pg_current_snapshot()`;
  await copy`truncate cache_outbox`;
  const turn = async () => Number((await stage.sql`select max(turn) as turn from cache_domains`)[0]?.turn);
  const before = await turn();
  await until('the token was turned over since', async () => (await turn()) > before);
  await stage.write('psql', { row });
  await settle(stage);
  let refused: string | null = null;
  const watched: Parts['drainer'] = (options) =>
    (parts.drainer ?? startDrainer)({
      ...options,
      onRefused: (reason) => {
        refused = reason;
      },
    });
  const stranger = await stage.open({
    databaseUrl: database.url,
    parts: { ...parts, drainer: watched },
    memoryMaxEntries: 0,
  });
  await stage.keys.del('Campaign-1');
  await until('it has filled, or may not', async () => {
    await stranger.repositories.Campaign.findById('1', stranger.scope());
    return refused !== null || (await stage.keys.exists('Campaign-1')) === 1;
  });
  await readFromRedis(stage, larder);
  return stage;
};
