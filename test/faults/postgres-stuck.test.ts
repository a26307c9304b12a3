import { Agent } from 'node:http';
import { type Test, t } from 'tap';
import { type OwnPostgres, ownPostgres } from '../support/own-stores.ts';
import { freshRedis } from '../support/services.ts';
import { until } from '../support/until.ts';
import { recovers, type Scene, says, startScene, watch, watchAnswered } from './support/scene.ts';

async function open(t: Test): Promise<Scene & { store: OwnPostgres }> {
  const store = await ownPostgres(t);
  const redis = await freshRedis(t);
  const scene = await startScene(t, { databaseUrl: store.url, redisUrl: redis.url, sql: store.connect() });
  await recovers(t, scene, 'after the start');
  return { ...scene, store };
}

t.test('processes of Postgres are stopped and never go on', async (t) => {
  const scene = await open(t);
  const { store } = scene;
  const stopped: number[] = [];
  const stop = async (pids: number[]) => {
    await store.stopIdle(pids);
    stopped.push(...pids);
  };
  const living = async () => (await store.backends()).filter((pid) => !stopped.includes(pid));

  await stop((await living()).slice(0, 1));
  await watch(t, scene, 'one is stopped', { answered: 200, unavailable: 0 });
  await recovers(t, scene, 'while one is stopped');

  await stop(await living());
  await watch(t, scene, 'all are stopped', { unavailable: 1 });
  await recovers(t, scene, 'while all that there were are stopped');

  const watcher = store.connect();
  let drainer: number | undefined;
  await until('a drainer has a process of its own', async () => {
    // One that was stopped in the middle of a statement shows it for ever.
    const rows = await watcher<{ pid: number }[]>`
      select pid from pg_stat_activity where application_name = 'larder' and query like '%cache_outbox%'
      and not pid = any(${`{${stopped.join()}}`}::int[]) order by query_start desc limit 1`;
    drainer = rows[0]?.pid;
    return drainer !== undefined;
  });
  await stop(drainer === undefined ? [] : [drainer]);
  await watchAnswered(t, scene, 'the one of the drainer is stopped', { answered: 600 });
  await recovers(t, scene, 'while the one of the drainer is stopped');

  store.signal(stopped, 'SIGCONT');
  await recovers(t, scene, 'after they went on');
  await until('those that went on have ended', async () => (await store.backends()).length <= 8);
});

t.test('a process of Postgres is stopped amid the draining, with what it has taken', async (t) => {
  const scene = await open(t);
  const { store } = scene;
  const watcher = store.connect();
  /** A process that has taken changes, and whose drainer has them forgotten at this moment. */
  const draining = async () => {
    const [row] = await watcher<{ pid: number }[]>`
      select pid from pg_stat_activity where application_name = 'larder' and state = 'idle in transaction'
      and query like 'with d as materialized%' and wait_event = 'ClientRead' and backend_xid is not null`;
    return row?.pid ?? null;
  };
  let pid: number | null = null;
  await until('one is stopped with what it has taken', async () => {
    pid = await draining();
    if (pid === null) return false;
    store.signal([pid], 'SIGSTOP');
    if ((await draining()) === pid) return true;
    store.signal([pid], 'SIGCONT');
    return false;
  });
  // What it has taken nobody else can take, and so nobody knows whether it was forgotten: nothing vouches for bodies.
  await watchAnswered(t, scene, 'it keeps what it has taken', { answered: 300 });
  // As long as rows change, lists bring new bodies, which memory answers from for a while without asking anybody.
  await scene.judge.rest();
  await watchAnswered(t, scene, 'it keeps what it has taken, and nothing changes', { answered: 100, bypassed: 30 });
  store.signal([Number(pid)], 'SIGCONT');
  scene.judge.write();
  await recovers(t, scene, 'after it went on');
});

t.test('all of Postgres is stopped and goes on', async (t) => {
  const scene = await open(t);
  const { store } = scene;
  await scene.judge.rest();
  const pids = await store.backends();
  store.kill('SIGSTOP');
  store.signal(pids, 'SIGSTOP');
  await watch(t, scene, 'all of Postgres is stopped', { unavailable: 40 });
  t.match(await scene.larder.get('/readyz'), { status: 503, body: { postgres: false } });
  store.kill('SIGCONT');
  store.signal(pids, 'SIGCONT');
  scene.judge.write();
  await recovers(t, scene, 'after it went on');
});

t.test('a table is locked', async (t) => {
  const scene = await open(t);
  const locker = scene.store.connect();
  await scene.judge.rest();
  await recovers(t, scene, 'when nothing changes any more');
  await locker.begin(async (sql) => {
    await sql`lock table campaigns in access exclusive mode`;
    // What is cached is still served by id; lists are not.
    await watch(t, scene, 'a table is locked', { unavailable: 20, answered: 20 });
  });
  scene.judge.write();
  await recovers(t, scene, 'after the lock');
});

interface Counted {
  readonly brands: { readonly totalCount: number };
}

t.test('slow statements take every connection', async (t) => {
  const scene = await open(t);
  const locker = scene.store.connect();
  const agent = new Agent({ keepAlive: true, maxSockets: 600 });
  t.teardown(() => agent.destroy());
  const slow = () => scene.larder.query<Counted>('{ brands(first: 1) { totalCount } }', {}, { agent });
  const wrong: unknown[] = [];
  let asked = 0;
  let locked = true;
  const ask = async () => {
    while (locked) {
      asked += 1;
      const { status, headers, errors } = await slow();
      const right = status === 503 && headers['retry-after'] === '1';
      if (locked && !right) wrong.push({ status, errors });
    }
  };
  let asking: Promise<unknown> = Promise.resolve();
  await locker.begin(async (sql) => {
    await sql`lock table brands in access exclusive mode`;
    // Some wait for Postgres, some for a place, and for some there is not even room to wait.
    asking = Promise.all(Array.from({ length: 600 }, ask));
    await watch(t, scene, 'all connections are taken', { unavailable: 10 });
    locked = false;
  });
  await asking;
  t.comment(`${asked} slow requests`);
  t.same(wrong.slice(0, 3), [], 'each of those who wait for the table is told to come again');
  await recovers(t, scene, 'after the slow statements');
  let counted: Awaited<ReturnType<typeof slow>> | null = null;
  // Where the machine stands still for a second, it is told to come again as well.
  await until('it is answered', async () => {
    counted = await slow();
    return counted.status === 200;
  });
  t.match(counted, { status: 200, data: { brands: { totalCount: 1 } } });
});

t.test('nobody can look into the outbox, and bodies read by id come from Postgres', async (t) => {
  const scene = await open(t);
  const locker = scene.store.connect();
  await scene.judge.rest();
  await locker.begin(async (sql) => {
    await sql`lock table cache_outbox in access exclusive mode`;
    await watchAnswered(t, scene, 'the outbox is locked', { answered: 100, bypassed: 30 });
    await until('an answer says so', async () => {
      const { extensions } = await scene.larder.query('{ campaign(id: "Q2FtcGFpZ246MQ==") { title } }');
      const { hits, misses, bypassed } = extensions?.dataFetching?.cache.Campaign ?? {};
      return hits === 0 && misses === 1 && bypassed === 1;
    });
    await says(t, scene.larder, 'it can answer', 200);
  });
  scene.judge.write();
  await recovers(t, scene, 'after the outbox was locked');
  const { body } = await scene.larder.get('/readyz');
  t.match(body.outbox, { depth: Number, ageMs: Number });
});
