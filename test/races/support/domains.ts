import type { Test } from 'tap';
import { lookAtDomain } from '../../../src/outbox/domains.ts';
import { type DrainerOptions, startDrainer } from '../../../src/outbox/drainer.ts';
import { decodeMark, shareOf } from '../../../src/outbox/mark.ts';
import type { Database } from '../../../src/postgres/client.ts';
import { DEFAULTS, type LarderProcess, type Parts } from '../../stage/process.ts';
import type { Row } from '../../stage/rows.ts';
import { SeamedRedisTier } from '../../stage/seams.ts';
import { type Stage, setStage, settle, warm } from '../../stage/stage.ts';
import { freshDatabase, freshRedis } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';
import { until } from '../../support/until.ts';
import type { Scenario } from './scenarios.ts';

const row: Row = { entity: 'Campaign', id: '1' };

/** Reads until Redis answers. */
async function fromRedis(stage: Stage, reader: LarderProcess): Promise<void> {
  const before = reader.counts().hits ?? 0;
  await until('Redis answers', async () => {
    await stage.byId(reader, row.entity, [row.id]);
    return (reader.counts().hits ?? 0) > before;
  });
}

/** Waits until every domain has read what there was, and nobody may be told of it later. */
async function readByAll(stage: Stage): Promise<void> {
  await until('the outbox is empty', async () => (await stage.sql`select from cache_outbox limit 1`).length === 0);
}

/** Two domains, of which one stands still while the other reads; then it goes on. */
const twoDomains: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const other = await freshRedis(t);
  await stage.open({ parts });
  const reader = await stage.open({ parts, redisUrl: other.url, memoryMaxEntries: 0 });
  await settle(stage);
  await fromRedis(stage, reader);
  const before = await stage.sql<{ position: string }[]>`select position::text from cache_domains`;
  await reader.stopDraining();
  await stage.write('psql', { row });
  await until('the first has read it', async () => {
    const now = await stage.sql<{ position: string }[]>`
      select position::text from cache_domains where position::text <> all(${before.map(({ position }) => position)})`;
    return now.length > 0 && (await stage.keys.exists('Campaign-1')) === 0;
  });
  reader.drain();
  await readByAll(stage);
  const since = performance.now();
  await until('the staleness is over', () => performance.now() - since > DEFAULTS.maxStalenessMs);
  await fromRedis(stage, reader);
  return stage;
};

/** A domain is left behind and comes back, in the same run of Redis. */
const comesBack: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const before = await stage.open({ parts });
  await settle(stage);
  await warm(stage, before, row);
  await before.stopDraining();
  await stage.sql`update cache_domains set position = null, target = null where run <> ''`;
  const other = await freshRedis(t);
  const cleaner = await stage.open({ redisUrl: other.url });
  await stage.write('psql', { row });
  await readByAll(stage);
  await cleaner.stopDraining();
  const since = performance.now();
  await until('the staleness is over', () => performance.now() - since > DEFAULTS.maxStalenessMs);
  t.equal(await stage.keys.exists('Campaign-1'), 1, 'Redis still has the body');
  await fromRedis(stage, await stage.open({ parts, memoryMaxEntries: 0 }));
  return stage;
};

/** A database with the rows of another one, those that say who reads the outbox among them, as a copy of its files has. */
async function copyOf(t: Test, stage: Stage): Promise<{ url: string; turn: number }> {
  const copy = await freshDatabase(t);
  const [live, sql] = [openSql(t, stage.database), openSql(t, copy)];
  for (const table of ['brands', 'campaigns']) {
    const rows = await live`select * from ${live(table)}`;
    for (const found of rows) await sql`insert into ${sql(table)} ${sql(found)}`;
  }
  await sql`truncate cache_outbox, cache_domains`;
  for (const found of await live`select * from cache_domains`) {
    await sql`insert into cache_domains ${sql(found)}`;
  }
  await sql`update cache_domains set database = cache_outbox_database(), position = pg_current_snapshot(), drained_at = now()`;
  const [newest] = await sql<{ turn: string }[]>`select max(turn)::text as turn from cache_domains`;
  return { url: copy.url, turn: Number(newest?.turn) };
}

/** A process on a copy of the database reads, from its own Postgres, what is older than what Redis is asked for. */
const besideACopy: Scenario = async (t, parts) => {
  const stage = await setStage(t);
  const live = await stage.open({ memoryMaxEntries: 0 });
  await settle(stage);
  const copy = await copyOf(t, stage);
  await stage.write('psql', { row });
  await settle(stage);
  const turn = async () => decodeMark((await stage.keys.get('larder:domain')) ?? '').turn;
  await until('Redis has a newer token than the copy', async () => (await turn()) > copy.turn);
  const stranger = await stage.open({ parts, databaseUrl: copy.url, mayBeRefused: true, memoryMaxEntries: 0 });
  await until('it knows where it belongs', () => stranger.cache.admitted || stranger.refused() !== null);
  await stage.keys.del('Campaign-1');
  await until('it has read', async () => {
    await stranger.repositories.Campaign.findById(row.id, stranger.scope());
    return stranger.refused() !== null || (await stage.keys.exists('Campaign-1')) === 1;
  });
  await fromRedis(stage, live);
  return stage;
};

/** Notes for every domain what was read for one. */
function readsForAll(database: Database): Database {
  return {
    ...database,
    begin: (work) =>
      database.begin((send) =>
        work(async <Found extends object>(text: string, parameters?: readonly unknown[], asLists?: boolean) => {
          const rows = await send<Found>(text, parameters, asLists);
          if (text.startsWith('update')) {
            await send("update cache_domains set position = pg_current_snapshot(), target = null where run <> ''");
          }
          return rows;
        }),
      ),
  };
}

/** Names the run of Redis alone in bodies. */
class GenerationBlind extends SeamedRedisTier {
  override present(...[share, ms]: Parameters<SeamedRedisTier['present']>): ReturnType<SeamedRedisTier['present']> {
    return super.present({ ...share, generation: '' }, ms);
  }
}

/** Belongs to the domain whose id Redis has, whatever token it has. */
function knowsIdsAlone({ database, cache, redis, boundMs, onError }: DrainerOptions) {
  if (redis === null) throw new TypeError('Without Redis there is no domain.');
  const beat = async () => {
    const { held } = await redis.meet();
    const domain = await lookAtDomain(database, decodeMark(held ?? '').id ?? '');
    if (domain === null || held === null) return;
    await cache.vouch({ ...shareOf(domain), mark: held }, boundMs, cache.clock.now());
    cache.admit(true);
  };
  const timer = setInterval(() => void beat().catch(onError), 100);
  return { status: () => null, refused: () => null, problem: () => null, stop: async () => clearInterval(timer) };
}

/** What keeps domains apart, the protocol without it, and the race that shows it. */
export const DOMAINS_BROKEN: Readonly<Record<string, readonly [Parts, Scenario]>> = {
  'a position of its own for each domain': [
    { drainer: (options) => startDrainer({ ...options, database: readsForAll(options.database) }) },
    twoDomains,
  ],
  'the generation in the epoch': [{ tier: (url, ...more) => new GenerationBlind(url, '', ...more) }, comesBack],
  'the comparison of tokens': [{ drainer: knowsIdsAlone }, besideACopy],
};
