import { type Test, t } from 'tap';
import { type Clock, systemClock } from '../../src/clock.ts';
import { openServer, startServer, type TestServer } from '../support/server.ts';
import type { TestDatabase, TestRedis } from '../support/services.ts';
import { standingClock } from '../support/standing-clock.ts';
import { counted, openRedis, openSql } from '../support/stores.ts';
import { bearer, JWT_SECRET } from '../support/token.ts';
import { until } from '../support/until.ts';

const id = (n: number) => Buffer.from(`Brand:${n}`).toString('base64');
const BY_ID = `{ brand(id: "${id(1)}") { name } }`;
const LIST = '{ brands(first: 50) { nodes { name } } }';

/** The arrangements of tiers that a deployment may have: the suite is the same for each. */
const ARRANGEMENTS = [
  { name: 'memory alone', memory: true, redis: false, env: {} },
  { name: 'Redis alone', memory: false, redis: true, env: { MEMORY_MAX_ENTRIES: '0' } },
  { name: 'memory before Redis', memory: true, redis: true, env: {} },
] as const;

/** The part of an answer that says what caches did. */
interface DataFetching {
  readonly cache: Readonly<Record<string, { readonly hits?: number; readonly memoryHits?: number }>>;
}

interface Stack {
  readonly database: TestDatabase;
  readonly redis: TestRedis | null;
  readonly server: TestServer;
}

/** How many SELECTs of bodies Postgres counted. */
async function bodyReads(database: TestDatabase): Promise<number> {
  const bodies = (await database.statements()).filter(({ query }) => /^select t\."id".* = any\(/.test(query));
  return bodies.reduce((sum, { calls }) => sum + calls, 0);
}

for (const { name, redis: withRedis, memory: withMemory, env } of ARRANGEMENTS) {
  const start = async (t: Test, more: Record<string, string> = {}, clock: Clock = systemClock) => {
    const options = { env: { ...env, ...more, JWT_SECRET }, clock };
    const stack = withRedis ? await startServer(t, options) : await startServer(t, { ...options, redis: null });
    await stack.sql`insert into brands (name) select 'brand ' || n from generate_series(1, 50) n`;
    await stack.database.drained();
    return { ...stack, server: stack as TestServer } satisfies Stack & { sql: unknown };
  };

  t.test(name, async (t) => {
    t.test('what was read once is not read again while its row stands', async (t) => {
      const { database, redis, server } = await start(t);
      const read = () => counted({ database, redis }, () => server.ask(LIST));
      const [cold, warm] = [await read(), await read()];
      t.equal(cold.sql, 2, 'the list and the bodies');
      t.equal(warm.sql, 1, 'the list');
      t.same(warm.answer, cold.answer);
    });

    t.test('a row that another program changed is seen at once through a list, and soon by its id', async (t) => {
      const { server, sql } = await start(t);
      await Promise.all([server.ask(LIST), server.ask(BY_ID)]);
      for (let round = 0; round < 20; round += 1) {
        await sql`update brands set name = ${`changed ${round}`} where id = 1`;
        const { brands } = await server.ask<{ brands: { nodes: { name: string }[] } }>(LIST);
        t.equal(brands.nodes[0]?.name, `changed ${round}`);
      }
      await until('the change by id', async () => {
        const { brand } = await server.ask<{ brand: { name: string } }>(BY_ID);
        return brand.name === 'changed 19';
      });
    });

    t.test('with every invalidation lost, lists still show the rows, and replace the stale bodies', async (t) => {
      const { server, sql } = await start(t);
      await sql`alter table brands disable trigger user`;
      for (let round = 0; round < 10; round += 1) {
        await sql`update brands set name = ${`silently ${round}`} where id <= 25`;
        const { brands } = await server.ask<{ brands: { nodes: { name: string }[] } }>(LIST);
        t.same(
          brands.nodes.slice(0, 25).map((brand) => brand.name),
          Array(25).fill(`silently ${round}`),
        );
      }
      const { brand } = await server.ask<{ brand: { name: string } }>(BY_ID);
      t.equal(brand.name, 'silently 9', 'the body that the list replaced');
    });

    t.test('two hundred who ask at once for what nobody holds cost one SELECT in each process', async (t) => {
      // However long the machine takes, memory and Redis vouch for what they hold, nobody gives up, and no process takes itself for deaf.
      const patient = {
        ...{ MAX_STALENESS_MS: '600000', MEMORY_TTL_MS: '300000' },
        ...{ STATEMENT_TIMEOUT_MS: '60000', REQUEST_TIMEOUT_MS: '120000' },
      };
      const clock = standingClock();
      const { database, redis, server } = await start(t, patient, clock);
      const ask = (where: TestServer, n: number, times: number) =>
        Array.from({ length: times }, () => where.ask(`{ brand(id: "${id(n)}") { name } }`));
      /** Asks while nobody gets the rows, and lets them be had when the first waits for them. */
      const askHeld = async (askAll: () => Promise<unknown>[]) => {
        await database.resetStatements();
        let answers: Promise<unknown>[] = [];
        // What somebody in a transaction sees of others' activity does not change.
        const watcher = openSql(t, database);
        await openSql(t, database).begin(async (holder) => {
          await holder`lock table brands`;
          answers = askAll();
          await until('a SELECT waits', async () => {
            const waiting =
              await watcher`select from pg_stat_activity where wait_event_type = 'Lock' and datname = ${database.name}`;
            return waiting.length > 0;
          });
        });
        await Promise.all(answers);
        return bodyReads(database);
      };
      /** Reads one until caches answer: before a process has heard of itself, nobody joins a reading that has begun. */
      const settled = (where: TestServer) =>
        until('caches answer by id', async () => {
          const { extensions = {} } = await where.query(`{ brand(id: "${id(3)}") { name } }`, {}, { 'x-inspect': '1' });
          const { hits = 0, memoryHits = 0 } = (extensions.dataFetching as DataFetching).cache.Brand ?? {};
          return hits === 1 && (memoryHits === 1 || !withMemory);
        });
      await settled(server);
      t.equal(await askHeld(() => ask(server, 1, 200)), 1, 'one process');
      const other = await openServer(t, { database, redis, env: { ...env, ...patient }, clock });
      await settled(other);
      const two = await askHeld(() => [...ask(server, 2, 100), ...ask(other, 2, 100)]);
      t.ok(two >= 1 && two <= 2, `two processes: ${two}`);
    });

    t.test('what does not exist is known not to, until it does', async (t) => {
      const missing = `{ brand(id: "${id(51)}") { name } }`;
      const { database, server } = await start(t);
      await database.resetStatements();
      for (let i = 0; i < 20; i += 1) t.same(await server.ask(missing), { brand: null });
      const reads = await bodyReads(database);
      // Memory answers for a second, Redis for thirty.
      if (withRedis) t.equal(reads, 1);
      else t.ok(reads >= 1 && reads < 20, `memory alone: ${reads} of 20`);
      const created = await server.query(
        'mutation { createBrand(input: { name: "new" }) { brand { id } } }',
        {},
        bearer(),
      );
      t.same(created.data, { createBrand: { brand: { id: id(51) } } });
      t.same(await server.ask(missing), { brand: { name: 'new' } }, 'seen at once');
    });
  });
}

t.test('entries that expire do so apart, and those of nothing soon', async (t) => {
  const { ask, redis, sql, database } = await startServer(t, {
    env: { CACHE_TTL_SECONDS: '100', MEMORY_MAX_ENTRIES: '0' },
  });
  const client = openRedis(t, redis);
  await sql`insert into brands (name) select 'brand ' || n from generate_series(1, 50) n`;
  await database.drained();
  const keys = [...Array.from({ length: 50 }, (_, i) => `Brand-${i + 1}`), 'Brand-99'];
  await until('the bodies in Redis', async () => {
    await ask(LIST);
    await ask(`{ brand(id: "${id(99)}") { name } }`);
    return (await client.exists(...keys)) === keys.length;
  });
  const ttls = await Promise.all(keys.map((key) => client.pttl(key)));
  const negative = ttls.pop() ?? 0;
  for (const ttl of ttls) t.ok(ttl > 80_000 && ttl <= 110_000, `${ttl} ms is 100 s, more or less`);
  t.ok(new Set(ttls.map((ttl) => Math.round(ttl / 1000))).size > 5, 'they are spread');
  t.ok(negative > 20_000 && negative <= 33_000, `${negative} ms is 30 s, more or less`);
});
