import { t } from 'tap';
import { startProcess } from '../http/child.ts';
import { ownPostgres } from '../support/own-stores.ts';
import { runCli } from '../support/run-cli.ts';
import { openServer } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { cached, find, makeCampaign, readiness, ready, refused } from './support/one-campaign.ts';

const MAX_STALENESS_MS = 2000;

t.test('a dump that was restored elsewhere uses nothing of the Redis of the other', async (t) => {
  const [database, restored, redis] = await Promise.all([freshDatabase(t), freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  await makeCampaign(sql, 'live');
  const live = await openServer(t, { database, redis });
  await cached(live);
  // What pg_dump writes, rows of the outbox and the register of domains included, whose numbers of transactions are those of a cluster
  // that is far ahead.
  const copy = openSql(t, restored);
  await makeCampaign(copy, 'restored');
  await copy`truncate cache_outbox`;
  await copy`
    insert into cache_outbox (xid, entity, entity_id)
    select ((pg_current_xact_id()::text::bigint + 1000000)::text)::xid8, 'Campaign', '1'`;
  const rows = await sql`select * from cache_domains`;
  await copy`truncate cache_domains`;
  for (const row of rows) await copy`insert into cache_domains ${copy(row)}`;
  const other = await openServer(t, { database: restored, redis, unvouched: true });
  await refused(other);
  t.equal((await find(other)).title, 'restored');
  t.equal((await find(live)).title, 'live');

  const own = await openServer(t, { database: restored, redis, env: { CACHE_PREFIX: 'restored:' } });
  await cached(own);
  await copy`update campaigns set title = 'changed' where id = 1`;
  await until('with a prefix of its own it hears of changes', async () => (await find(own)).title === 'changed');
});

t.test('a copy of the files beside the live database is refused, and the live one goes on', async (t) => {
  const [postgres, redis] = [await ownPostgres(t), await freshRedis(t)];
  const sql = postgres.connect();
  await makeCampaign(sql, 'live');
  const live = await openServer(t, { database: postgres, redis });
  await cached(live);
  await postgres.stop();
  const files = postgres.copyFiles();
  await postgres.restart();
  const copy = { url: await postgres.startCopy(files, 'elsewhere') };
  await ready(live);
  const copied = openSql(t, copy);
  await copied`update campaigns set title = 'copied' where id = 1`;
  const other = await openServer(t, { database: copy, redis, unvouched: true });
  await refused(other);
  t.equal((await find(other)).title, 'copied');
  await cached(live);
  t.equal((await find(live)).title, 'live');
  t.match(await readiness(live), { status: 'ready', refused: undefined });
});

t.test('an older state in the place of the live one is refused, until everybody forgets', async (t) => {
  const [postgres, redis] = [await ownPostgres(t), await freshRedis(t)];
  const sql = postgres.connect();
  await makeCampaign(sql, 'old');
  const server = await openServer(t, { database: postgres, redis });
  await cached(server);
  await postgres.stop();
  const files = postgres.copyFiles();
  await postgres.restart();
  await ready(server);
  await sql`update campaigns set title = 'lost by the restore' where id = 1`;
  await until('it is cached', async () => {
    const { title, hits } = await find(server);
    return title === 'lost by the restore' && hits === 1;
  });
  const turns = async () => (await sql<{ turn: string }[]>`select sum(turn)::text as turn from cache_domains`)[0]?.turn;
  const before = await turns();
  await until('the token was turned over since', async () => (await turns()) !== before);
  await postgres.stop();
  const database = { url: await postgres.startCopy(files, 'in its place') };
  await refused(server);
  t.equal((await find(server)).title, 'old', 'a server that ran on has what is there now');
  const next = await openServer(t, { database, redis, unvouched: true });
  await refused(next);
  t.equal((await find(next)).title, 'old');

  const { code, stdout } = await runCli('forget', [], { DATABASE_URL: database.url, REDIS_URL: redis.url });
  t.equal(code, 0, stdout);
  for (const one of [server, next]) {
    await ready(one);
    await cached(one);
    t.equal((await find(one)).title, 'old');
  }
});

t.test('a process that was stopped while its domain was retired serves nothing of before', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  await makeCampaign(sql, 'old');
  const env = { INSPECT: 'header', MAX_STALENESS_MS: String(MAX_STALENESS_MS) };
  const stopped = await startProcess(t, { database, redis }, env);
  await cached(stopped);
  stopped.kill('SIGSTOP');
  const other = await openServer(t, { database, redis, env: { CACHE_PREFIX: 'other:' } });
  await sql`update cache_domains set drained_at = drained_at - interval '1 hour' where run <> ''`;
  await until(
    'its domain is retired',
    async () => (await sql`select from cache_domains where position is null`).length > 0,
  );
  await sql`update campaigns set title = 'new' where id = 1`;
  const written = performance.now();
  await until('nobody waits for it', async () => (await sql`select from cache_outbox limit 1`).length === 0);
  t.equal((await find(other)).title, 'new');
  await until('old answers are too old', () => performance.now() - written > MAX_STALENESS_MS);
  stopped.kill('SIGCONT');
  for (let n = 0; n < 50; n += 1) t.equal((await find(stopped)).title, 'new');
  await cached(stopped);
  t.equal((await find(stopped)).title, 'new');
});
