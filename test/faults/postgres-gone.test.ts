import { t } from 'tap';
import { faultyProxy, through } from '../support/faulty-proxy.ts';
import { ownPostgres } from '../support/own-stores.ts';
import { freshRedis } from '../support/services.ts';
import { until } from '../support/until.ts';
import { QUICK, startLarder } from './support/larder.ts';
import { recovers, type Scene, says, startScene, watch } from './support/scene.ts';

const UNAVAILABLE = { status: 503, body: { status: 'unavailable', postgres: false } };

/** Nothing is known to be written while Postgres is away, so that the judge does not write then. */
async function away(scene: Scene, action: () => Promise<unknown>): Promise<void> {
  await scene.judge.rest();
  await action();
}

t.test('Postgres is restarted under load', async (t) => {
  const store = await ownPostgres(t);
  const redis = await freshRedis(t);
  const scene = await startScene(t, { databaseUrl: store.url, redisUrl: redis.url, sql: store.connect() });
  await recovers(t, scene, 'after the start');
  for (const how of ['SIGINT', 'SIGQUIT'] as const) {
    await away(scene, () => store.restart(how));
    scene.judge.write();
    await recovers(t, scene, `after a restart by ${how}`);
  }
  const left = await store.backends();
  t.ok(left.length <= 8, `${left.length} connections, none left over`);
});

t.test('Postgres is away for a while', async (t) => {
  const store = await ownPostgres(t);
  const redis = await freshRedis(t);
  const scene = await startScene(t, { databaseUrl: store.url, redisUrl: redis.url, sql: store.connect() });
  await recovers(t, scene, 'after the start');
  await away(scene, () => store.stop());
  const listed = await scene.larder.query('{ campaigns(first: 1) { nodes { title } } }');
  t.match(listed, { status: 503, headers: { 'retry-after': '1' }, data: { campaigns: null } });
  t.match(listed.errors, [{ path: ['campaigns'], extensions: { code: 'UNAVAILABLE' } }]);
  await watch(t, scene, 'Postgres is away', { unavailable: 200 });
  t.match(await scene.larder.get('/readyz'), UNAVAILABLE);
  t.match(await scene.larder.get('/healthz'), { status: 200, body: { status: 'alive' } });
  // Nobody vouches for bodies any more, so that reads by id are refused as well.
  await until('no body is served by id', async () => {
    const { status } = await scene.larder.query('{ campaign(id: "Q2FtcGFpZ246MQ==") { title } }');
    return status === 503;
  });
  await store.restart();
  scene.judge.write();
  await recovers(t, scene, 'after it came back');
});

t.test('Postgres is not there when the server starts', async (t) => {
  const store = await ownPostgres(t);
  const redis = await freshRedis(t);
  const sql = store.connect();
  await sql`insert into brands (id, name) values (1, 'one')`;
  await store.stop();
  const larder = await startLarder(t, { ...QUICK, DATABASE_URL: store.url, REDIS_URL: redis.url });
  const ask = () => larder.query('{ brands(first: 1) { nodes { name } } }');
  t.match(await ask(), { status: 503, errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
  t.match(await larder.get('/readyz'), UNAVAILABLE);
  await store.restart();
  await until('it answers', async () => (await ask()).status === 200);
  await says(t, larder, 'it vouches for bodies, too', 200, { status: 'ready' });
});

t.test('the network between them fails', async (t) => {
  const store = await ownPostgres(t);
  const redis = await freshRedis(t);
  const proxy = await faultyProxy(t, store.port);
  const databaseUrl = through(store.url, proxy);
  const scene = await startScene(t, { databaseUrl, redisUrl: redis.url, sql: store.connect() });
  await recovers(t, scene, 'after the start');
  const faults: Record<string, () => unknown> = {
    'swallows everything': () => proxy.hold(),
    'refuses connections': () => proxy.refuse(),
    'accepts connections and hangs up': () => {
      proxy.hangUp();
      proxy.reset();
    },
  };
  for (const [fault, fall] of Object.entries(faults)) {
    const before = proxy.accepted;
    await fall();
    // The rows go on changing, directly: what is answered from caches meanwhile must not become too old.
    await watch(t, scene, `the network ${fault}`, { unavailable: 40 });
    t.match(await scene.larder.get('/readyz'), UNAVAILABLE);
    t.comment(`${proxy.accepted - before} connections were tried`);
    if (fault === 'refuses connections') await proxy.listen();
    proxy.pass();
    await recovers(t, scene, `after the network ${fault}`);
  }
  proxy.reset();
  await recovers(t, scene, 'after all connections broke at once');
  await until('connections that broke are gone', async () => (await store.backends()).length <= 8);
  t.notMatch(scene.larder.output(), /a request failed/, 'nothing went wrong that nobody foresaw');
});
