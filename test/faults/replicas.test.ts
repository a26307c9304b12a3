import { join } from 'node:path';
import { sql as query } from 'drizzle-orm';
import { type Test, t } from 'tap';
import { entities } from '../../src/app/entities.ts';
import { systemClock } from '../../src/clock.ts';
import { createLarder } from '../../src/larder.ts';
import { openDatabase } from '../../src/postgres/client.ts';
import type { Replica } from '../../src/postgres/replica.ts';
import { Replicas } from '../../src/postgres/replicas.ts';
import { run, statement } from '../../src/postgres/statement.ts';
import { Trace } from '../../src/trace/trace.ts';
import { blocks, section } from '../docs/document.ts';
import { WHOLE_PAGE } from '../stage/pages.ts';
import { globalId } from '../support/data.ts';
import { manualClock } from '../support/manual-clock.ts';
import { scrape } from '../support/metrics.ts';
import { asked, replicatedPostgres } from '../support/replicated-postgres.ts';
import { type Answer, openServer, type TestServer } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { bearer, JWT_SECRET } from '../support/token.ts';
import { until } from '../support/until.ts';

interface Listed {
  readonly campaigns: { readonly nodes: readonly { readonly title: string }[] };
}

interface Fetched {
  readonly dataFetching: {
    readonly sql: { readonly statements: number };
    readonly cache: { readonly Campaign?: { readonly misses: number; readonly stale: number } };
  };
}

/** Longer than any test takes. */
const EVER_MS = '3600000';
const LIST = '{ campaigns(first: 1) { nodes { title } } }';
/** The same page by another name, which memory does not know as a whole. */
const OTHER_LIST = '{ campaigns(first: 2) { nodes { title } } }';
const BY_ID = `{ campaign(id: "${globalId('Campaign', 1)}") { title } }`;

const postgres = await replicatedPostgres(t, 2);
const { sql } = postgres;
const [replica, second] = postgres.replicas as [(typeof postgres.replicas)[0], (typeof postgres.replicas)[0]];
await sql`insert into brands (id, name) values (1, 'x')`;
await sql`insert into campaigns (id, brand_id, title) values (1, 1, 'first')`;
await replica.resume();

/** Opens a server, and waits until it reads at the replica. */
async function open(t: Test, env: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  const server = await openAnyway(t, env);
  await until('the replica is used', async () => (await readiness(server)).status === 'ready');
  return server;
}

async function openAnyway(t: Test, env: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  const lag = { MAX_REPLICA_LAG_MS: EVER_MS, STATEMENT_TIMEOUT_MS: '60000', REQUEST_TIMEOUT_MS: '60000' };
  const settings = { DATABASE_REPLICA_URLS: replica.url, JWT_SECRET, ...lag, ...env };
  return openServer(t, { database: postgres, redis: await freshRedis(t), env: settings });
}

/** Waits until a server says why it does not read at a replica. */
const degraded = (server: TestServer, reason: RegExp) =>
  until(`it says ${reason}`, async () => {
    const told = await readiness(server);
    return told.status === 'degraded' && reason.test(told.reason ?? '');
  });

const titleOf = ({ data }: Answer<Listed>) => data?.campaigns.nodes[0]?.title;
const listed = async (server: TestServer, headers: Record<string, string> = {}) =>
  titleOf(await server.query<Listed>(LIST, {}, headers));
const byId = async (server: TestServer) => (await server.ask<{ campaign: { title: string } }>(BY_ID)).campaign.title;
const write = (title: string) => sql`update campaigns set title = ${title} where id = 1`;

const update = (title: string) =>
  `updateCampaign(input: { id: "${globalId('Campaign', 1)}", title: "${title}" }) { campaign { title } }`;
const mutate = (server: TestServer, document: string, headers: Record<string, string> = {}) =>
  server.query<Listed>(document, {}, { ...bearer(), ...headers });

/** What a page cost: its statements, and the bodies of campaigns that Postgres had to be asked for. */
async function cost(
  server: TestServer,
  document = LIST,
): Promise<{ title: string | undefined; statements: number; misses: number }> {
  const answer = await server.query<Listed>(document, {}, { 'x-inspect': '1' });
  const { sql: told, cache } = (answer.extensions as unknown as Fetched).dataFetching;
  return { title: titleOf(answer), statements: told.statements, misses: cache.Campaign?.misses ?? 0 };
}

async function series(server: TestServer, name: string): Promise<number> {
  const line = (await scrape(server)).split('\n').find((text) => text.startsWith(`${name} `));
  return Number(line?.slice(name.length));
}

const readiness = async (server: TestServer) =>
  (await (await fetch(`${server.url}/readyz`)).json()) as { status: string; reason?: string };

t.test('lists are read at a replica, and what it has not heard of stays in the caches', async (t) => {
  await write('old');
  await replica.resume();
  const server = await open(t);
  t.match(await cost(server), { title: 'old', statements: 2, misses: 1 }, 'cold');
  t.match(await cost(server), { title: 'old', statements: 1, misses: 0 }, 'warm');
  t.ok((await series(server, `larder_postgres_replica_statements_total{replica="${replica.name}"}`)) > 0);
  t.equal(await series(server, 'larder_postgres_replica_instead_total{reason="unfit"}'), 0);

  await replica.pause();
  await write('new');
  await until('caches hold the new body', async () => (await byId(server)) === 'new');
  t.match(await cost(server), { title: 'old', statements: 1, misses: 0 }, 'the list is as old as the replica');
  t.match(await cost(server, OTHER_LIST), { title: 'old', statements: 2, misses: 1 });
  t.match(await cost(server, OTHER_LIST), { title: 'old', statements: 1, misses: 0 }, 'which is read once');
  t.equal(await byId(server), 'new', 'and what it brought replaces nothing');
  t.match(await server.query(BY_ID, {}, { 'x-inspect': '1' }), {
    extensions: { dataFetching: { sql: { statements: 0 } } },
  });
  await replica.resume();
  await until('the list is new', async () => (await listed(server)) === 'new');
  t.match(await cost(server, OTHER_LIST), { title: 'new', statements: 1, misses: 0 }, 'with the body that had stayed');
});

t.test('an older body does not stay in the way of what a replica names', async (t) => {
  const server = await open(t);
  await write('before');
  await replica.resume();
  await until('it is cached', async () => (await byId(server)) === 'before' && (await cost(server)).misses === 0);
  // Nobody tells of this one, and reads by id go on with what is cached.
  await sql.begin(async (silent) => {
    await silent`set local session_replication_role = replica`;
    await silent`update campaigns set title = 'untold' where id = 1`;
  });
  await replica.resume();
  t.equal(await listed(server), 'untold');
  await until('it is cached', async () => {
    const { title, misses } = await cost(server);
    t.equal(title, 'untold');
    return misses === 0;
  });
});

t.test('a client that wrote reads what it wrote', async (t) => {
  const server = await open(t);
  await write('old');
  await replica.resume();
  await until('the list is known', async () => (await listed(server)) === 'old');
  await replica.pause();

  const written = await mutate(server, `mutation { ${update('mine')} }`);
  const position = written.headers.get('larder-position') ?? '';
  t.match(position, /^[0-9A-F]{16}$/);
  t.equal(await listed(server), 'old', 'others may read what was before');
  t.equal(await listed(server, { 'larder-position': position }), 'mine');
  t.ok((await series(server, 'larder_postgres_replica_instead_total{reason="position"}')) > 0, 'at the primary');
  const earlier = { 'larder-position': '0/0' };
  t.equal(await listed(server, earlier), 'old', 'a place that the replica has passed');
  const none = await mutate(
    server,
    `mutation { deleteBrand(input: { id: "${globalId('Brand', 99)}" }) { __typename } }`,
  );
  t.equal(none.status, 200);

  await replica.resume();
  await until('the replica answers, now that it has it', async () => {
    const before = await series(server, 'larder_postgres_replica_instead_total{reason="position"}');
    t.equal(await listed(server, { 'larder-position': position }), 'mine');
    return (await series(server, 'larder_postgres_replica_instead_total{reason="position"}')) === before;
  });
  t.equal((await server.query(LIST)).headers.get('larder-position'), null, 'who only reads is told nothing');

  for (const wrong of ['x', '0/', '123', `${position}0`]) {
    t.match(await server.query(LIST, {}, { 'larder-position': wrong }), {
      status: 400,
      errors: [{ extensions: { code: 'BAD_POSITION' } }],
    });
  }
});

t.test('a replica that is nearly there is waited for', async (t) => {
  const server = await open(t);
  await replica.resume();
  for (let i = 0; i < 20; i += 1) {
    const title = `waited for ${i}`;
    const position = (await mutate(server, `mutation { ${update(title)} }`)).headers.get('larder-position') ?? '';
    t.equal(await listed(server, { 'larder-position': position }), title);
  }
});

t.test('a client that keeps its position as docs/clients.md has it', async (t) => {
  const [shown] = blocks(section('docs/clients.md', 'Read what was written'));
  const module = join(t.testdir({ 'block.ts': shown?.text ?? '' }), 'block.ts');
  const { readYourWrites } = (await import(module)) as { readYourWrites(): typeof fetch };
  const [server, client] = [await open(t), readYourWrites()];
  const send = async (document: string) => {
    const headers = { 'content-type': 'application/json', ...bearer() };
    const body = JSON.stringify({ query: document });
    return (await client(`${server.url}/graphql`, { method: 'POST', headers, body })).json() as Promise<Answer<Listed>>;
  };
  await replica.pause();
  for (const title of ['kept once', 'kept twice']) {
    await send(`mutation { ${update(title)} }`);
    t.equal(titleOf(await send(LIST)), title);
  }
  await replica.resume();
});

t.test('without HTTP, too', async (t) => {
  const at = { url: postgres.url, replicas: [replica.url], maxReplicaLagMs: Number(EVER_MS) };
  const larder = await createLarder({ entities, postgres: at });
  t.teardown(() => larder.close());
  await until('the replica is used', () => larder.gauges.replicas()?.states()[0]?.unfit === null);
  await replica.resume();
  await replica.pause();
  const title = async (given?: Parameters<typeof larder.createContext>[0]) => {
    const { repositories, scope } = larder.createContext(given);
    const [page] = await repositories.Campaign.list('all', [WHOLE_PAGE], scope);
    return page?.items[0]?.entity?.title;
  };
  const before = await title();
  const { repositories, scope } = larder.createContext();
  t.equal(scope.position, null);
  await repositories.Campaign.update('1', { title: 'by a library' }, scope);
  t.equal(await title(), before);
  t.equal(await title(scope), 'by a library', 'whoever has written reads at the primary');
  t.equal(await title({ position: scope.position }), 'by a library');
  const own = larder.createContext().scope;
  await larder.transaction((transaction) => transaction.execute(query`update campaigns set title = 'by Drizzle'`), own);
  t.equal(await title({ position: own.position }), 'by Drizzle');
  t.equal(await title({ position: null }), before);
  t.throws(() => larder.createContext({ position: 'x' }), { name: 'InvalidInput', field: 'position' });
  await replica.resume();
  await t.rejects(createLarder({ entities, postgres: { ...at, maxReplicaLagMs: 0 } }), /maxReplicaLagMs/);
  await t.rejects(createLarder({ entities, postgres: { ...at, replicas: ['http://x'] } }), /postgres\.replicas\[0\]/);
});

t.test('what a replica cancels for what it has to replay is read at the primary', async (t) => {
  const common = { statementTimeoutMs: 60_000, clock: systemClock, poolSize: 1 };
  const primary = openDatabase({ ...common, url: postgres.url });
  t.teardown(() => primary.close());
  const urls = [replica.url];
  const replicas = new Replicas({ ...common, urls, maxLagMs: 60_000, primary, beat: primary, onChange: () => {} });
  t.teardown(() => replicas.close());
  await replicas.start(60_000);
  const chosen = replicas.choose({ fromPrimary: false, position: null }) as Replica;
  const sleep = statement<object>('sleep', query`select pg_sleep(60), name from brands`);
  const reading = replicas.read(chosen, () => run(chosen.database, sleep, {}, new Trace()), new Trace());
  await until('it is under way', async () => {
    const [row] = await asked(
      () => replica.sql`select from pg_stat_activity where query like '%pg_sleep(60)%' and wait_event = 'PgSleep'`,
    );
    return row !== undefined;
  });
  await sql.begin((locking) => locking`lock table brands in access exclusive mode`);
  t.equal(await reading, null);
  t.equal(replicas.instead.failed, 1);
  t.equal(replicas.choose({ fromPrimary: false, position: null }), chosen, 'which does not make it unfit');
});

t.test('a mutation reads what it selects at the primary', async (t) => {
  const server = await open(t);
  await replica.pause();
  const brand = '{ brand { campaigns(first: 1) { nodes { title } } } }';
  const document = `mutation {
    updateCampaign(input: { id: "${globalId('Campaign', 1)}", title: "selected" }) { campaign ${brand} }
  }`;
  t.match(await mutate(server, document), {
    data: { updateCampaign: { campaign: { brand: { campaigns: { nodes: [{ title: 'selected' }] } } } } },
  });
  await replica.resume();
});

t.test('a replica that is too far behind is not read, until it is not any more', async (t) => {
  const server = await openAnyway(t, { MAX_REPLICA_LAG_MS: '500' });
  const used = `larder_postgres_replica_used{replica="${replica.name}"}`;
  await until('it is used', async () => (await series(server, used)) === 1);
  t.match(await scrape(server), `larder_postgres_replica_lag_seconds{replica="${replica.name}"} `);
  await replica.pause();
  await write('far ahead');
  await until('it is too old', async () => (await series(server, used)) === 0);
  t.equal(await listed(server), 'far ahead');
  await degraded(server, /replica 127\.0\.0\.1:\d+: it is not known to be at most 500 ms behind/);
  await replica.resume();
  await until('it is used again', async () => (await series(server, used)) === 1);
});

t.test('replicas that are away: the primary answers', async (t) => {
  await replica.kill();
  await write('without replicas');
  const server = await openAnyway(t);
  t.equal(await listed(server), 'without replicas', 'away at start');
  await degraded(server, /does not answer/);
  await replica.start();
  await until('it has come', async () => (await readiness(server)).status === 'ready');
  await replica.pause();
  await write('ahead');
  t.equal(await listed(server), 'without replicas', 'it is read');
  await replica.kill();
  t.equal(await listed(server), 'ahead', 'away later');
  await replica.start();
});

t.test('a replica that crashes and comes back between two looks is not taken for what it was', async (t) => {
  await replica.checkpoint();
  await write('before the crash');
  await replica.resume();
  // Time stands still, so nobody looks at the replica while it crashes.
  const clock = manualClock();
  const at = { url: postgres.url, replicas: [replica.url], maxReplicaLagMs: Number(EVER_MS) };
  const larder = await createLarder({ entities, postgres: at, clock });
  t.teardown(() => larder.close());
  const state = () => larder.gauges.replicas()?.states()[0];
  const title = async () => {
    const { repositories, scope } = larder.createContext();
    const [page] = await repositories.Campaign.list('all', [WHOLE_PAGE], scope);
    return page?.items[0]?.entity?.title;
  };
  const used = () =>
    until('it is used', async () => {
      await clock.advance(250);
      return state()?.unfit === null;
    });
  await used();
  t.equal(await title(), 'before the crash');
  t.ok((state()?.statements ?? 0) > 0, 'it is read there');

  await replica.crash();
  const [behind] = await asked(() => replica.sql<{ title: string }[]>`select title from campaigns where id = 1`);
  t.not(behind?.title, 'before the crash', 'it has gone back');
  t.equal(await title(), 'before the crash');
  await until('it is known to have gone back', () => state()?.unfit !== null);
  t.equal(await title(), 'before the crash');

  await replica.kill();
  await replica.start();
  await used();
  t.equal(await title(), 'before the crash');
  await write('ahead');
});

t.test('what is no replica of this Postgres is not read', async (t) => {
  const other = await freshDatabase(t);
  for (const [url, reason] of [
    [other.url, /another cluster/],
    [postgres.url, /no replica/],
  ] as const) {
    const server = await openAnyway(t, { DATABASE_REPLICA_URLS: url });
    await degraded(server, reason);
    t.equal(await listed(server), 'ahead');
  }
  await t.rejects(openAnyway(t, { DATABASE_REPLICA_URLS: `${replica.url},mysql://x` }), {
    message: /DATABASE_REPLICA_URLS: expected a URL that starts with postgres/,
  });
  await t.rejects(openAnyway(t, { DATABASE_REPLICA_URLS: 'postgres://one,two/x' }), {
    message: /DATABASE_REPLICA_URLS: expected one host for each replica, got 2/,
  });
});

t.test('a replica that is promoted is left at once: its history is its own from then on', async (t) => {
  const server = await open(t, { DATABASE_REPLICA_URLS: `${second.url}, ${replica.url}` });
  await replica.kill();
  await degraded(server, /does not answer/);
  const promoted = await second.promote();
  await promoted`update campaigns set title = 'elsewhere' where id = 1`;
  t.equal(await listed(server), 'ahead');
  await degraded(server, /none any more/);
});
