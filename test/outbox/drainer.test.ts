import { spawn } from 'node:child_process';
import { Redis } from 'ioredis';
import { type Test, t } from 'tap';
import { openCache } from '../../src/cache/open-cache.ts';
import { startDrainer } from '../../src/outbox/drainer.ts';
import { openDatabase } from '../../src/postgres/client.ts';
import { outputOf } from '../support/output-of.ts';
import { ownRedis } from '../support/own-stores.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS, type TestDatabase } from '../support/services.ts';
import { openRedis, openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const HEARTBEAT = 'larder:heartbeat';
const BOUND_MS = 2000;

/** A drainer with connections of its own, as each process has one. A busy machine's standstill ends nothing unless the limits are short. */
async function drain(
  t: Test,
  database: Pick<TestDatabase, 'url'>,
  redisUrl: string,
  { redisTimeoutMs = REDIS_PATIENCE_MS, statementTimeoutMs = 60_000 } = {},
) {
  const errors: Error[] = [];
  const onError = (error: Error) => void errors.push(error);
  const pool = openDatabase({ url: database.url, poolSize: 1, statementTimeoutMs });
  const settings = { redisUrl, redisTimeoutMs, prefix: '', ttlMs: 300_000, memoryTtlMs: 500, memoryMaxEntries: 10 };
  const { cache, redis, close } = openCache(settings, onError);
  await redis?.connected(REDIS_PATIENCE_MS);
  const handled = new Map<string, number>();
  const invalidate = cache.invalidate.bind(cache);
  cache.invalidate = async (changes, wait) => {
    await invalidate(changes, wait);
    for (const { id } of changes) handled.set(id, (handled.get(id) ?? 0) + 1);
  };
  const drainer = startDrainer({ database: pool, cache, redis, boundMs: BOUND_MS, onError, onRefused: () => {} });
  t.teardown(async () => {
    await drainer.stop();
    await close();
    await pool.close();
  });
  return { drainer, errors, handled };
}

async function open(t: Test) {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  const keys = openRedis(t, redis);
  const waiting = async () => (await sql`select from cache_outbox limit 1`).length > 0;
  const settled = () => until('the outbox is empty', async () => !(await waiting()));
  return { database, redis, sql, keys, waiting, settled };
}

t.test('a change from outside empties the key of its body, and no other', async (t) => {
  const { database, redis, sql, keys, settled } = await open(t);
  await keys.mset({ 'Brand-1': 'old', 'Brand-2': 'current', 'Campaign-1': 'current' });
  await drain(t, database, redis.url);
  await until('the heartbeat', async () => (await keys.exists(HEARTBEAT)) === 1);
  await sql`insert into brands (id, name) values (1, 'new')`;
  await settled();
  t.same(await keys.mget('Brand-1', 'Brand-2', 'Campaign-1'), [null, 'current', 'current']);
});

t.test('an idle drainer looks four times a second and no more', async (t) => {
  const { database, redis, keys } = await open(t);
  const looks = () => countLooks(t, database);
  await drain(t, database, redis.url);
  await until('the heartbeat', async () => (await keys.exists(HEARTBEAT)) === 1);
  const started = performance.now();
  const before = await looks();
  await until('it has looked again and again', async () => (await looks()) >= before + 8);
  const seen = (await looks()) - before;
  const ms = performance.now() - started;
  // Between two looks lies a pause. What a timer may be early, and Postgres late with its count, is less than one more.
  t.ok(seen <= ms / 250 + 2, `${seen} looks in ${ms.toFixed(0)} ms`);
});

/** How often Postgres was asked for what waits, as it counted itself; in statements with some text. */
async function countLooks(t: Test, { name }: TestDatabase, text = ''): Promise<number> {
  const admin = openSql(t, { url: process.env.LARDER_TEST_POSTGRES_URL ?? '' });
  const [row] = await admin<{ calls: number }[]>`
    select coalesce(sum(calls), 0)::int as calls from pg_stat_statements
    where dbid = (select oid from pg_database where datname = ${name}) and query like '%cache_outbox%' and query like 'select%'
      and query like ${`%${text}%`}`;
  await admin.end();
  return row?.calls ?? 0;
}

/** How many entries of the outbox's index were read, as Postgres says a second later at most. */
async function readEntries(sql: ReturnType<typeof openSql>): Promise<number> {
  const [row] = await sql<{ entries: number }[]>`
    select idx_tup_read::int as entries from pg_stat_all_indexes where indexrelname = 'cache_outbox_pkey'`;
  return row?.entries ?? 0;
}

t.test('100,000 rows that psql updates are drained while others read, and somebody holds a snapshot', async (t) => {
  const { database, redis, sql, keys, settled } = await open(t);
  await sql`
    insert into events (id, title, starts_at) select i, 'Event ' || i, now() from generate_series(1, 100000) i`;
  await sql`truncate cache_outbox`;
  // Such as pg_dump: what is removed stays where it is, and whoever looks from the start walks over it again and again.
  const holder = openSql(t, database);
  await holder`begin isolation level repeatable read`;
  await holder`select count(*) from brands`;
  const first = await drain(t, database, redis.url);
  await drain(t, database, redis.url);
  for (const id of [1, 50_000, 100_000]) await keys.set(`Event-${id}`, 'old');
  await sql`update events set title = title || '!'`;
  const started = performance.now();
  // Who had to wait for the drainers would wait for a lock.
  const reader = openSql(t, database);
  await reader`set lock_timeout = 1`;
  let reads = 0;
  let deepest = 0;
  let oldestMs = 0;
  await until('all are drained', async () => {
    const id = 1 + (reads % 100_000);
    t.same(await reader`select title from events where id = ${id}`, [{ title: `Event ${id}!` }]);
    reads += 1;
    const status = first.drainer.status();
    deepest = Math.max(deepest, status?.depth ?? 0);
    oldestMs = Math.max(oldestMs, status?.ageMs ?? 0);
    return (await sql`select from cache_outbox limit 1`).length === 0;
  });
  const ms = performance.now() - started;
  t.comment({ drainMs: ms, reads, deepest, oldestMs });
  // Each is read once for the domain and once to be removed, and a look counts no further than 10,000.
  const looks = await countLooks(t, database, 'behindMs');
  await until('Postgres has counted', async () => (await readEntries(sql)) >= 200_000);
  const entries = await readEntries(sql);
  t.ok(
    entries <= 200_000 + (looks + 1) * 10_000,
    `${entries} entries of the index were read, and ${looks} looks taken`,
  );
  t.same(await keys.mget('Event-1', 'Event-50000', 'Event-100000'), [null, null, null]);
  t.ok(deepest >= 10_000 && oldestMs > 0, 'the status told of it');
  await settled();
  await until('the status says that nothing waits', async () => first.drainer.status()?.depth === 0);
  t.equal(first.drainer.status()?.ageMs, 0);
  // What it did before is counted by then.
  const later = (more: number) => async () => (await countLooks(t, database, 'behindMs')) >= looks + more;
  await until('it has looked again and again', later(16));
  const idle = await readEntries(sql);
  await until('and again', later(32));
  t.equal(await readEntries(sql), idle, 'whoever is idle walks over nothing');
  t.same(first.errors, []);
  await holder`rollback`;
});

t.test('of four drainers of a domain one at a time does the work', async (t) => {
  const { database, redis, sql, keys, settled } = await open(t);
  const drainers = await Promise.all(Array.from({ length: 4 }, () => drain(t, database, redis.url)));
  await until('the domain is there', async () => (await keys.exists(HEARTBEAT)) === 1);
  await until('all have looked', async () => drainers.every(({ drainer }) => drainer.status() !== null));
  await sql`insert into cache_outbox (entity, entity_id) select 'Event', i from generate_series(1, 60000) i`;
  await settled();
  for (const { drainer } of drainers) await drainer.stop();
  const handled = drainers.map(({ handled }) => handled.size);
  const sum = handled.reduce((total, count) => total + count, 0);
  t.equal(sum, 60_000, `each change once: ${handled.join(', ')}`);
  for (const { errors } of drainers) t.same(errors, []);
});

/** Lets Redis be away amid the work, and come back. */
async function awayAndBack(t: Test, away: 'stopped' | 'crashed') {
  const database = await freshDatabase(t);
  const sql = openSql(t, database);
  const redis = await ownRedis(t, ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always']);
  // What a Redis that stands still is asked fails as soon as it does on a server.
  const { drainer, errors } = await drain(t, database, redis.url, { redisTimeoutMs: 100 });
  const tell = async <T>(words: (client: Redis) => Promise<T>) => {
    const client = new Redis(redis.url);
    try {
      return await words(client);
    } finally {
      client.disconnect();
    }
  };
  // It ends now and then on a busy machine: what is compared is what was seen.
  const heartbeat = async (what: string) => {
    let epoch: string | null = null;
    await until(what, async () => {
      epoch = await tell((client) => client.get(HEARTBEAT));
      return epoch !== null;
    });
    return epoch;
  };
  const epoch = await heartbeat('the heartbeat');
  await tell((client) => client.mset({ 'Brand-1': 'old', 'Event-50000': 'old' }));
  await sql`insert into cache_outbox (entity, entity_id) select 'Event', i from generate_series(1, 50000) i`;
  await until('it is amid the work', async () => (drainer.status()?.depth ?? 0) > 0);
  if (away === 'crashed') await redis.crash();
  else redis.kill('SIGSTOP');
  await sql`insert into brands (id, name) values (1, 'new')`;
  const failures = errors.length;
  await until('it fails, again and again', async () => errors.length >= failures + 3);
  const left = (await sql`select from cache_outbox`).length;
  t.ok(left > 0, `${left} wait`);
  t.ok((drainer.status()?.ageMs ?? 0) > 0);
  if (away === 'crashed') await redis.start();
  else redis.kill('SIGCONT');
  await until('the outbox is empty', async () => (await sql`select from cache_outbox limit 1`).length === 0);
  const sameEpoch = (await heartbeat('the heartbeat is back')) === epoch;
  return { bodies: await tell((client) => client.mget('Brand-1', 'Event-50000')), sameEpoch };
}

/** Holds all domains, and stands still after the first of two rows: Postgres waits for the rest of that statement. */
const STANDS_STILL = `
  import postgres from 'postgres';
  const sql = postgres(process.env.DATABASE_URL);
  await sql.begin(async (sql) => {
    await sql\`select from cache_domains for no key update\`;
    await sql\`select from generate_series(1, 2)\`.cursor(1, () => {
      console.log('held');
      return new Promise(() => {});
    });
  });
`;

t.test('a process that stands still amid a statement of its draining holds the others up for a bound', async (t) => {
  const { database, redis, sql, keys, settled } = await open(t);
  const { errors } = await drain(t, database, redis.url);
  await until('the heartbeat', async () => (await keys.exists(HEARTBEAT)) === 1);
  const env = { PATH: process.env.PATH, DATABASE_URL: database.url };
  const child = spawn(process.execPath, ['--input-type=module', '--eval', STANDS_STILL], { env });
  t.teardown(() => child.kill('SIGKILL'));
  const output = outputOf(child);
  await until('it holds the domain', () => output().includes('held'));
  child.kill('SIGSTOP');
  await sql`insert into brands (id, name) values (1, 'new')`;
  await settled();
  t.match(errors, [{ message: 'A process stood still while it drained. Its connection was ended.' }]);
});

t.test('while Redis is away nothing is lost', async (t) => {
  t.same(await awayAndBack(t, 'stopped'), { bodies: [null, null], sameEpoch: true });
});

t.test(
  'a Redis that was started anew is told nothing of what changed before, and what it remembers is not vouched for',
  async (t) => {
    t.same((await awayAndBack(t, 'crashed')).sameEpoch, false);
  },
);

t.test('a Redis that is full is emptied of what changed, and gets its heartbeat back', async (t) => {
  const { database, redis, sql, keys, settled } = await open(t);
  const { errors } = await drain(t, database, redis.url);
  await until('the heartbeat', async () => (await keys.exists(HEARTBEAT)) === 1);
  await keys.set('Brand-1', 'old');
  await keys.config('SET', 'maxmemory', '1');
  await until('it is refused', async () => errors.some(({ message }) => message.includes('OOM')));
  await sql`insert into brands (id, name) values (1, 'new')`;
  await settled();
  t.equal(await keys.exists('Brand-1'), 0);
  await until('the heartbeat has ended', async () => (await keys.exists(HEARTBEAT)) === 0);
  await keys.config('SET', 'maxmemory', '0');
  await until('the heartbeat is back', async () => (await keys.exists(HEARTBEAT)) === 1);
});

t.test('while nobody can look into the outbox the heartbeat ends', async (t) => {
  const { database, redis, sql, keys } = await open(t);
  const { errors } = await drain(t, database, redis.url, { statementTimeoutMs: 2000 });
  await until('the heartbeat', async () => (await keys.exists(HEARTBEAT)) === 1);
  await sql.begin(async (sql) => {
    await sql`lock table cache_outbox in access exclusive mode`;
    const locked = performance.now();
    await until('the heartbeat has ended', async () => (await keys.exists(HEARTBEAT)) === 0);
    t.comment(`it ended after ${Math.round(performance.now() - locked)} ms`);
    await until('the drainer has failed', async () => errors.some(({ name }) => name === 'DatabaseUnavailable'));
  });
  await until('the heartbeat is back', async () => (await keys.exists(HEARTBEAT)) === 1);
});

t.test('the heartbeat vouches for no longer than the bound, less the time that something waits', async (t) => {
  const { database, redis, sql, keys } = await open(t);
  const { drainer } = await drain(t, database, redis.url);
  await until('the heartbeat', async () => (await keys.exists(HEARTBEAT)) === 1);
  const other = openSql(t, database);
  await sql.begin(async (sql) => {
    // Nobody can read on, and everybody can see that something waits.
    await sql`select from cache_domains for update`;
    await other`insert into cache_outbox (entity, entity_id) values ('Event', 1)`;
    const inserted = performance.now();
    await until('the heartbeat has ended', async () => {
      const waited = performance.now() - inserted;
      const left = await keys.pttl(HEARTBEAT);
      const isGone = left === -2;
      t.ok(isGone || (left >= 0 && left <= BOUND_MS - waited), `${left} ms after ${waited} ms`);
      return isGone;
    });
    t.equal(drainer.status()?.depth, 1);
    t.ok((drainer.status()?.ageMs ?? 0) > BOUND_MS / 2);
  });
  await until('the heartbeat is back', async () => (await keys.pttl(HEARTBEAT)) > BOUND_MS / 2);
});

t.test(
  'nothing is certified by a time of draining that is still to come, as when the clock was set back',
  async (t) => {
    const { database, redis, sql, keys } = await open(t);
    await drain(t, database, redis.url);
    await until('the heartbeat', async () => (await keys.exists(HEARTBEAT)) === 1);
    const holder = openSql(t, database);
    await until('nobody can read on', async () => {
      await sql`update cache_domains set drained_at = now() + interval '1 hour'`;
      await holder`begin`;
      const held = await holder`select from cache_domains where drained_at > now() and run <> '' for no key update`;
      // A drainer that has nothing to read may have noted that in between.
      if (held.length === 0) await holder`rollback`;
      return held.length > 0;
    });
    await sql`insert into cache_outbox (entity, entity_id) values ('Event', 1)`;
    await until('the heartbeat has ended', async () => (await keys.exists(HEARTBEAT)) === 0);
    await holder`commit`;
    await until('the heartbeat is back', async () => (await keys.exists(HEARTBEAT)) === 1);
  },
);

t.test('it ends when it is told to, whatever it was doing', async (t) => {
  const { database, redis, sql } = await open(t);
  const waiting = async () => (await sql`select from cache_outbox`).length;
  const idle = await drain(t, database, redis.url);
  await until('it has looked', async () => idle.drainer.status() !== null);
  await idle.drainer.stop();
  const busy = await drain(t, database, redis.url);
  await sql`insert into cache_outbox (entity, entity_id) select 'Event', i from generate_series(1, 200000) i`;
  await until('it works', async () => (busy.drainer.status()?.depth ?? 0) > 0);
  await busy.drainer.stop();
  t.ok((await waiting()) > 0, 'amid the work');
  const failing = await drain(t, database, redis.url);
  redis.kill('SIGKILL');
  await until('it fails', async () => failing.errors.length > 2);
  await failing.drainer.stop();
  t.ok((await waiting()) > 0, 'without Redis');
});
