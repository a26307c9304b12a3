import { type Test, t } from 'tap';
import { globalId } from '../support/data.ts';
import { type OwnRedis, ownPostgres, ownRedis } from '../support/own-stores.ts';
import { bearer, JWT_SECRET } from '../support/token.ts';
import { until } from '../support/until.ts';
import { type LarderChild, PATIENT, startLarder } from './support/larder.ts';

const BRAND = globalId('Brand', 1);

/** The longest that a process' memory may answer for an id. */
const MEMORY_TTL_MS = 500;

const RENAME = `mutation ($name: String!) { updateBrand(input: { id: "${BRAND}", name: $name }) { brand { name } } }`;

interface Seen {
  readonly brand: { readonly name: string };
  readonly node: { readonly name: string };
  readonly brands: { readonly nodes: readonly { readonly name: string }[] };
}

async function open(t: Test, env: Record<string, string> = {}) {
  const store = await ownPostgres(t);
  const redis = await ownRedis(t);
  const sql = store.connect();
  await sql`insert into brands (id, name) values (1, 'start')`;
  const settings = {
    DATABASE_URL: store.url,
    REDIS_URL: redis.url,
    JWT_SECRET,
    MEMORY_TTL_MS: String(MEMORY_TTL_MS),
    ...PATIENT,
    ...env,
  };
  const servers = [await startLarder(t, settings), await startLarder(t, settings)] as const;
  return { store, redis, sql, servers };
}

const rename = (server: LarderChild, name: string) =>
  server.query<{ updateBrand: { brand: { name: string } } }>(RENAME, { name }, { headers: bearer() });

async function read(server: LarderChild): Promise<string[]> {
  const query = `{ brand(id: "${BRAND}") { name } node(id: "${BRAND}") { ... on Brand { name } } brands(first: 1) { nodes { name } } }`;
  const { brand, node, brands } = await server.ask<Seen>(query);
  return [brand.name, node.name, ...brands.nodes.map(({ name }) => name)];
}

type Opened = Awaited<ReturnType<typeof open>>;

/** Writes on each server in turn while both are read all the time, so that their memories are warm. */
async function writeAndRead(t: Test, { servers }: Opened, what: string, rounds: number): Promise<void> {
  const old: unknown[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const name = `${what} ${round}`;
    const [writer, other] = round % 2 === 0 ? servers : ([servers[1], servers[0]] as const);
    await Promise.all([read(writer), read(other)]);
    const meanwhile = [read(writer), read(other), read(other)];
    const { status, data, errors } = await rename(writer, name);
    if (status !== 200 || data?.updateBrand.brand.name !== name) t.fail(`${what}: ${status} ${JSON.stringify(errors)}`);
    for (const [server, names] of [
      ['other', await read(other)],
      ['writer', await read(writer)],
    ] as const) {
      if (names.some((seen) => seen !== name)) old.push({ round, server, names });
    }
    await Promise.all(meanwhile);
  }
  t.same(old.slice(0, 3), [], `${what}: nobody sees an old name after ${rounds} writes`);
}

t.test('a write is read back on both processes, whatever becomes of Redis', async (t) => {
  const opened = await open(t);
  const { redis, servers } = opened;
  const faults: readonly [string, (redis: OwnRedis) => unknown, (redis: OwnRedis) => unknown][] = [
    ['Redis is stopped', () => redis.kill('SIGSTOP'), () => redis.kill('SIGCONT')],
    ['Redis is killed', () => redis.crash(), () => redis.start()],
  ];
  await writeAndRead(t, opened, 'all is well', 150);
  for (const [what, fall, mend] of faults) {
    await fall(redis);
    await writeAndRead(t, opened, what, 6);
    await mend(redis);
    await writeAndRead(t, opened, `after ${what}, at once`, 20);
    for (const server of servers) {
      await until('bodies come from caches again', async () => {
        const { extensions } = await server.query(`{ brand(id: "${BRAND}") { name } }`);
        return extensions?.dataFetching?.cache.Brand?.hits === 1;
      });
    }
    await writeAndRead(t, opened, `after ${what}`, 20);
  }
});

t.test('a backend that ends amid a write ends neither the server nor half of the write', async (t) => {
  const { servers, sql, store } = await open(t, { REDIS_URL: '' });
  const [server] = servers;
  const locker = store.connect();
  for (const turn of [1, 2, 3]) {
    let writing: ReturnType<typeof rename> | null = null;
    await locker.begin(async (locked) => {
      await locked`select from brands where id = 1 for update`;
      writing = rename(server, `lost ${turn}`);
      const waiting = () => sql<{ pid: number }[]>`
        select pid from pg_stat_activity where application_name = 'larder' and wait_event_type = 'Lock'`;
      await until('it waits for the row', async () => (await waiting()).length === 1);
      await sql`select pg_terminate_backend(${(await waiting())[0]?.pid ?? 0})`;
    });
    const answer = (await writing) as Awaited<ReturnType<typeof rename>> | null;
    t.match(answer, {
      status: 503,
      headers: { 'retry-after': '1' },
      errors: [{ extensions: { code: 'UNAVAILABLE' } }],
    });
    t.same([...(await sql`select name from brands`)], [{ name: turn === 1 ? 'start' : `kept ${turn - 1}` }]);
    t.match(await rename(server, `kept ${turn}`), { status: 200 });
  }
  t.ok(server.alive());
});

t.test('a deadlock and a server that takes no writes are told as what passes', async (t) => {
  // It ends before the locker's `deadlock_timeout`: the server's transaction is given up in any case.
  const { servers, sql, store } = await open(t, { REDIS_URL: '', STATEMENT_TIMEOUT_MS: '20000' });
  const [server] = servers;
  await sql`insert into campaigns (id, brand_id, title) values (1, 1, 'c')`;
  await sql`insert into events (id, title, starts_at) values (1, 'e', '2026-01-01T00:00:00Z')`;
  await sql`insert into campaign_events (campaign_id, event_id, starts_at) select 1, id, starts_at from events`;
  const locker = store.connect();
  const move = `mutation { updateEvent(input: { id: "${globalId('Event', 1)}", startsAt: "2027-01-01T00:00:00Z" }) { event { id } } }`;
  let moving: ReturnType<typeof server.query> | null = null;
  await locker.begin(async (locked) => {
    // It finds the deadlock last, so that the server's transaction is the one that is given up.
    await locked`set local deadlock_timeout = '30s'`;
    await locked`select from campaign_events for update`;
    moving = server.query(move, {}, { headers: bearer() });
    await until('it waits for the link', async () => {
      const rows =
        await sql`select from pg_stat_activity where application_name = 'larder' and wait_event_type = 'Lock'`;
      return rows.length === 1;
    });
    await locked`update events set title = 'mine' where id = 1`;
  });
  t.match(await moving, { status: 503, errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
  t.match(
    await server.query(move, {}, { headers: bearer() }),
    { status: 200 },
    'and goes through when it is tried again',
  );

  await sql`alter system set default_transaction_read_only = on`;
  await sql`select pg_reload_conf()`;
  await until('writes are refused', async () => (await rename(server, 'no')).status === 503);
  t.match(await rename(server, 'no'), { status: 503, errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
  // A write may have come before the new setting.
  const [brand] = await sql<{ name: string }[]>`select name from brands`;
  t.same(await read(server), Array(3).fill(brand?.name), 'reads are not');
  const admin = store.connect();
  await admin`set default_transaction_read_only = off`;
  await admin`alter system reset default_transaction_read_only`;
  await admin`select pg_reload_conf()`;
  await until('writes are taken', async () => (await rename(server, 'yes')).status === 200);
});
