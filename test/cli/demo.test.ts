import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { type Test, t } from 'tap';
import { commandLine, exited } from '../../src/cli/services/process.ts';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { outputOf } from '../support/output-of.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { reachableDirectory } from '../support/temporary.ts';

const UP = 'Ctrl-C stops';

interface Demo {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Waits until it has printed something. */
  says(text: string): Promise<void>;
  /** Waits until it has ended, and tells how. */
  ended(): Promise<string>;
}

/** Starts a demo of the test's own, as `make demo` would. */
function startDemo(t: Test, env: Record<string, string>): Demo {
  const child = spawn(process.execPath, ['--import=tsx', 'src/cli/demo.ts'], {
    cwd: REPOSITORY,
    // Port 0 takes any, so that tests do not meet.
    env: { ...process.env, PORT: '0', METRICS_PORT: '0', MAX_EVENT_LOOP_DELAY_MS: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const output = outputOf(child);
  return {
    child,
    output,
    async says(text) {
      // A fresh Postgres, the page and the sample data come before: on a busy machine that took more than a minute.
      const deadline = performance.now() + 240_000;
      while (!output().includes(text)) {
        if (child.exitCode !== null || performance.now() > deadline) throw new Error(`No "${text}" in:\n${output()}`);
        await sleep(5);
      }
    },
    ended: () => exited(child),
  };
}

const POSTGRES = join('postgres', 'cluster', 'postmaster.pid');
const REDIS = join('redis', 'redis.pid');

/** The processes that a demo has started, by the records that it keeps of them. */
function servicesOf(state: string, records: readonly string[] = [POSTGRES, REDIS]): number[] {
  return records.map((file) => Number(readFileSync(join(state, file), 'utf8').split('\n')[0]));
}

async function allGone(pids: readonly number[]): Promise<boolean> {
  // Whoever guards them waits for ten seconds before it kills them.
  const deadline = performance.now() + 60_000;
  while (pids.some((pid) => commandLine(pid) !== null) && performance.now() < deadline) await sleep(50);
  return pids.every((pid) => commandLine(pid) === null);
}

async function takePort(t: Test): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return (server.address() as { port: number }).port;
}

/** The cells of a row of the printed table, by its heading. */
function row(output: string, name: string): number[] {
  const [, cells = ''] = new RegExp(`^ *${name} +([\\d. ]+)$`, 'm').exec(output) ?? [];
  return cells.trim().split(/ +/).map(Number);
}

t.test('from nothing to the second run', async (t) => {
  const LARDER_STATE_DIR = join(reachableDirectory(t), 'a directory with spaces');
  const [taken, takenMetrics] = [await takePort(t), await takePort(t)];
  const first = startDemo(t, { LARDER_STATE_DIR, PORT: String(taken), METRICS_PORT: String(takenMetrics) });
  await first.says(UP);
  t.match(first.output(), `Port ${taken} is taken`);
  t.match(first.output(), `Port ${takenMetrics} is taken`);
  const [url = ''] = /http:\S+\/graphql$/m.exec(first.output()) ?? [];
  const [graphiql = ''] = /http:\S+\/graphiql$/m.exec(first.output()) ?? [];
  const [metrics = ''] = /http:\S+\/metrics$/m.exec(first.output()) ?? [];
  t.equal((await fetch(graphiql)).status, 200);
  t.equal((await fetch(metrics)).status, 200);
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ campaigns(first: 1) { totalCount } }' }),
  });
  t.match(await answer.json(), {
    data: { campaigns: { totalCount: 500 } },
    extensions: { dataFetching: { sql: { statements: Number } } },
  });
  const [coldStatements = 0, , coldHits, coldMisses = 0] = row(first.output(), 'cold');
  const [warmStatements = 0, , warmHits = 0, warmMisses = 0] = row(first.output(), 'warm');
  t.ok(coldStatements > 2 && coldStatements <= 4, 'cold: the lists and the bodies');
  t.equal(coldHits, 0);
  t.equal(warmHits + warmMisses, coldMisses, 'warm: the same entities');
  // On a busy machine Redis may miss its deadline now and then; how many statements a query costs is tested elsewhere.
  t.ok(warmHits > 0 && warmStatements <= coldStatements, 'warm: less of Postgres');

  await t.test('it says how to get in, and what to try', async (t) => {
    const said = first.output();
    const [, database = ''] = /^ {2}Postgres +psql (postgres:\S+)$/m.exec(said) ?? [];
    const [, redis = ''] = /^ {2}Redis +redis-cli -u (redis:\S+)$/m.exec(said) ?? [];
    const [, page = ''] = /^ {2}Page +(http:\S+\/)$/m.exec(said) ?? [];
    const html = await fetch(page);
    t.match([html.status, await html.text()], [200, /src="\/demo\/page.js"/]);
    t.match(said, /^It runs with INSPECT=always/m);
    for (const thing of [`  1. Open ${page}`, '  2. Change a row', `  3. Open ${graphiql}`])
      t.ok(said.includes(thing), thing);
    const { authorization } = JSON.parse(/^\{ "authorization": .* \}$/m.exec(said)?.[0] ?? '{}');
    t.match(authorization, /^Bearer \S+$/, 'the token stands on a line of its own');
    const change = /^ +psql \S+ -c "(.*)"$/m.exec(said)?.[1] ?? '';
    const sql = postgres(database, { max: 1 });
    await sql.unsafe(change);
    await sql.end();
    const listed = await fetch(`${url}?query={campaigns(first:1){nodes{title}}}`);
    t.match(await listed.json(), { data: { campaigns: { nodes: [{ title: 'Changed by psql' }] } } });
    const client = new Redis(redis);
    t.ok((await client.dbsize()) > 0, 'the cache is there');
    client.disconnect();
  });

  const twin = startDemo(t, { LARDER_STATE_DIR });
  t.equal(await twin.ended(), 'exit code 1');
  t.match(twin.output(), `Process ${first.child.pid} uses`);

  const left = servicesOf(LARDER_STATE_DIR);
  first.child.kill('SIGKILL');
  t.ok(await allGone(left), 'killed, it leaves no service behind');

  const started = performance.now();
  const second = startDemo(t, { LARDER_STATE_DIR });
  await second.says(UP);
  // How long it takes is the machine's matter (2.4 s when idle); that it does not do the work again is ours.
  t.comment(`the second run served after ${Math.round(performance.now() - started)} ms`);
  t.match(second.output(), 'kept from an earlier run');
  t.notMatch(second.output(), /applied|Making|Storing/, 'nothing is migrated or made again');
  const pids = servicesOf(LARDER_STATE_DIR);
  second.child.kill('SIGTERM');
  t.equal(await second.ended(), 'exit code 0');
  t.ok(await allGone(pids), 'its services are gone');
  t.same(readdirSync(LARDER_STATE_DIR), ['postgres', 'redis'], 'its claim is gone');
  t.notOk(existsSync(join(LARDER_STATE_DIR, POSTGRES)), 'the lock of Postgres is gone');
});

t.test('services that are given are used, and what is in them stays as it is', async (t) => {
  const LARDER_STATE_DIR = join(reachableDirectory(t), 'state');
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = postgres(database.url, { max: 1 });
  t.teardown(() => sql.end());
  await sql`insert into brands (name) values ('mine')`;
  await sql`insert into campaigns (brand_id, title, body) select id, 'mine', '' from brands`;
  for (const run of ['first', 'second']) {
    const demo = startDemo(t, { LARDER_STATE_DIR, DATABASE_URL: database.url, REDIS_URL: redis.url });
    await demo.says(UP);
    t.match(demo.output(), 'no sample data is added');
    const [, , hits, misses] = row(demo.output(), 'cold');
    t.same([hits, misses], [0, 1], `the ${run} demo starts cold`);
    demo.child.kill('SIGINT');
    t.equal(await demo.ended(), 'exit code 0');
  }
  t.same([...(await sql`select name from brands`)], [{ name: 'mine' }]);
  const { flushall, flushdb } = await redis.commandCounts();
  t.same([flushall, flushdb], [undefined, undefined], 'the Redis of others is not emptied');
  t.same(readdirSync(LARDER_STATE_DIR), [], 'nothing else was started');
  t.type(commandLine(redis.pid), 'string', 'what was given runs on');
});

t.test(
  'what locks a server does not stop the demo, and an empty database of others is not filled unasked',
  async (t) => {
    const LARDER_STATE_DIR = join(reachableDirectory(t), 'state');
    const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
    const sql = postgres(database.url, { max: 1 });
    t.teardown(() => sql.end());
    const locks = { TRUSTED_DOCUMENTS: 'only', REQUIRE_AUTH: 'true' };
    const env = { LARDER_STATE_DIR, DATABASE_URL: database.url, REDIS_URL: redis.url, ...locks };
    const refused = startDemo(t, env);
    t.equal(await refused.ended(), 'exit code 1');
    t.match(refused.output(), /DATABASE_URL would be migrated.*LARDER_DEMO_WRITE=true/s);
    t.same([...(await sql`select 1 from brands`)], [], 'nothing was written');
    const allowed = startDemo(t, { ...env, LARDER_DEMO_WRITE: 'true' });
    await allowed.says(UP);
    t.match(allowed.output(), 'TRUSTED_DOCUMENTS=only is ignored');
    const [url = ''] = /http:\S+\/graphql$/m.exec(allowed.output()) ?? [];
    const answer = await fetch(`${url}?query={__typename}`);
    t.match(await answer.text(), 'UNAUTHENTICATED', 'reading needs a token as it was wished');
    t.equal((await sql`select 1 from brands`).length, 20);
    allowed.child.kill('SIGTERM');
    t.equal(await allowed.ended(), 'exit code 0');
  },
);

t.test('told to stop while it starts, it stops in order', async (t) => {
  for (;;) {
    const LARDER_STATE_DIR = join(reachableDirectory(t), 'state');
    const demo = startDemo(t, { LARDER_STATE_DIR });
    await demo.says('Postgres  ');
    const pids = servicesOf(LARDER_STATE_DIR, [POSTGRES]);
    demo.child.kill('SIGINT');
    // Where the test has stood still for as long as a start takes, it was told too late.
    const late = demo.output().includes(UP);
    t.equal(await demo.ended(), 'exit code 0');
    t.ok(await allGone(pids));
    if (late) continue;
    t.notMatch(demo.output(), UP);
    return;
  }
});

t.test('a wrong variable is said before anything starts', async (t) => {
  const LARDER_STATE_DIR = join(reachableDirectory(t), 'state');
  const demo = startDemo(t, { LARDER_STATE_DIR, PORT: 'http' });
  t.equal(await demo.ended(), 'exit code 1');
  t.match(demo.output(), 'PORT');
  t.notOk(existsSync(LARDER_STATE_DIR));
});
