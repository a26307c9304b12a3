import { Agent } from 'node:http';
import { t } from 'tap';
import { globalId, makeData } from '../support/data.ts';
import { ownRedis } from '../support/own-stores.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase } from '../support/services.ts';
import { until } from '../support/until.ts';
import { PATIENT, startLarder } from './support/larder.ts';

const CONNECTIONS = 64;
const CAMPAIGNS = 2000;
const POOL_SIZE = 4;

/** Bodies that are read at a time, as src/postgres/client.ts has it for each connection; and no more than there are connections. */
const CAP = POOL_SIZE * 2;

/** Connections of one process: for reading, as many for transactions, and two of the drainer and the catalog. */
const CONNECTIONS_TO_POSTGRES = POOL_SIZE * 2 + 2;

const QUERY = `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Campaign { title } } }`;

t.test(`${CONNECTIONS} connections while Redis is killed`, async (t) => {
  const database = await freshDatabase(t);
  const redis = await ownRedis(t);
  const sql = openSql(t, database);
  await makeData(sql, { brands: 10, campaigns: CAMPAIGNS, events: 10, perCampaign: 1 });
  const larder = await startLarder(t, {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    DATABASE_POOL_SIZE: String(POOL_SIZE),
    // So that each request needs Redis, and Postgres without it.
    MEMORY_MAX_ENTRIES: '0',
    INSPECT: 'off',
    LOG_LEVEL: 'info',
    ...PATIENT,
  });
  await until('the outbox is empty', async () => (await sql`select from cache_outbox limit 1`).length === 0);

  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  t.teardown(() => agent.destroy());
  let answered = 0;
  let slowestMs = 0;
  let stopped = false;
  const wrong: unknown[] = [];
  const asking = Array.from({ length: CONNECTIONS }, async (_, i) => {
    for (let turn = i; !stopped; turn += CONNECTIONS) {
      const numbers = Array.from({ length: 10 }, (_, k) => 1 + ((turn * 10 + k) % CAMPAIGNS));
      const ids = numbers.map((n) => globalId('Campaign', n));
      const answer = await larder.query<{ nodes: { title: string }[] }>(QUERY, { ids }, { agent });
      const right = answer.data?.nodes.every(({ title }, k) => title === `Campaign ${numbers[k]}`);
      if (answer.status === 200 && right) answered += 1;
      else wrong.push({ status: answer.status, errors: answer.errors });
      slowestMs = Math.max(slowestMs, answer.ms);
    }
  });

  let most = { bodies: 0, connections: 0 };
  const sample = async () => {
    const [row] = await sql<{ bodies: number; connections: number }[]>`
      select count(*) filter (where state = 'active' and query like '%t."id" = any(%')::int as bodies, count(*)::int as connections
      from pg_stat_activity where datname = ${database.name} and application_name = 'larder'`;
    if (row === undefined) throw new Error('pg_stat_activity says nothing');
    most = { bodies: Math.max(most.bodies, row.bodies), connections: Math.max(most.connections, row.connections) };
  };
  /** Watches until so many more have been answered. */
  const phase = async (name: string, count: number) => {
    const [before, started] = [answered, performance.now()];
    most = { bodies: 0, connections: 0 };
    slowestMs = 0;
    await until(`${count} answers ${name}`, async () => {
      await sample();
      return answered - before >= count || wrong.length > 0;
    });
    const perSecond = Math.round((answered - before) / ((performance.now() - started) / 1000));
    t.comment({ name, perSecond, slowestMs: Math.round(slowestMs), ...most });
    t.ok(most.bodies <= CAP, `${name}: ${most.bodies} SELECTs of bodies at a time, at most ${CAP}`);
    t.ok(most.connections <= CONNECTIONS_TO_POSTGRES, `${name}: ${most.connections} connections`);
    t.same(wrong.slice(0, 3), [], `${name}: every request is answered`);
  };

  await phase('warming', 500);
  await phase('before', 1500);
  await redis.crash();
  await phase('at the moment it is killed', 300);
  await phase('without Redis', 1500);
  await redis.start();
  await phase('at the moment it is back', 500);
  await phase('after', 1500);
  stopped = true;
  await Promise.all(asking);
  t.ok(larder.alive());
});
