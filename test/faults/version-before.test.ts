import { t } from 'tap';
import { globalId } from '../support/data.ts';
import { openRedis, startServer } from '../support/server.ts';
import { bearer, JWT_SECRET } from '../support/token.ts';
import { until } from '../support/until.ts';

// A server of 0.2 beside one of this version, on the same Redis and the same database. What it writes and what it needs was recorded when it
// was released: each key, message and statement stands here as it was.
const KEYS = { heartbeat: 'larder:heartbeat', domain: 'larder:domain', invalidations: 'larder:invalidations' };
const OWN = 'larder:acknowledgements:host-of-0-2:4711:7d6d1a3e-0000-4000-8000-000000000000';

// Memory answers for long, so that what it has forgotten was told.
const env = { JWT_SECRET, MEMORY_TTL_MS: '30000', MAX_STALENESS_MS: '60000' };
const { server, sql, keys } = await start();

async function start() {
  const server = await startServer(t, { env });
  const { sql, redis } = server;
  await sql`insert into brands (id, name) values (1, 'brand')`;
  await sql`insert into campaigns (id, brand_id, title) select i, 1, 'title ' || i from generate_series(1, 5) i`;
  await server.database.drained();
  return { server, sql, keys: openRedis(t, redis) };
}

async function titleOf(id: number): Promise<string | undefined> {
  const document = `{ campaign(id: "${globalId('Campaign', id)}") { title } }`;
  return (await server.ask<{ campaign: { title: string } | null }>(document)).campaign?.title;
}

/** What a server of 0.2 makes of a key: it uses what has all of this, and of reads by id what names the heartbeat. */
async function entryOf(id: number): Promise<Record<string, unknown>> {
  await until('the body is in Redis', async () => (await keys.get(`Campaign-${id}`))?.startsWith('{') === true);
  return JSON.parse((await keys.get(`Campaign-${id}`)) ?? '{}') as Record<string, unknown>;
}

t.test('what this version puts into Redis, 0.2 can use', async (t) => {
  t.equal(await titleOf(1), 'title 1');
  const entry = await entryOf(1);
  t.match(entry, { shape: /^[0-9a-f]{12}$/, columns: /^([0-9a-f]{8}){4}$/, id: '1', version: /^\d+$/ });
  t.same(entry.entity, { id: '1', brandId: '1', title: 'title 1', body: '' });
  t.equal(entry.epoch, await keys.get(KEYS.heartbeat), 'it was read in what is vouched for');
  t.match(await keys.get(KEYS.domain), /^[0-9a-f-]{36} \d+ \S+$/, 'whose Redis it is');
});

t.test('what 0.2 has put there, this version uses, and keeps its leases', async (t) => {
  const { shape, columns, epoch } = await entryOf(1);
  const [row] = await sql<{ version: string }[]>`select xmin::text as version from campaigns where id = 2`;
  const entity = { id: '2', brandId: '1', title: 'as 0.2 has it', body: '' };
  await keys.set('Campaign-2', JSON.stringify({ shape, columns, id: '2', epoch, version: row?.version, entity }));
  t.equal(await titleOf(2), 'as 0.2 has it');
  await keys.set('Campaign-3', '~a lease of 0.2', 'PX', 60_000);
  t.equal(await titleOf(3), 'title 3');
  t.equal(await keys.get('Campaign-3'), '~a lease of 0.2', 'nobody else fills');
  await keys.set(
    'Campaign-99',
    JSON.stringify({ shape, columns: String(columns).slice(0, 8), id: '99', epoch, version: null, entity: null }),
  );
  t.equal(await titleOf(99), undefined);
});

t.test('what 0.2 tells, this version forgets, and acknowledges', async (t) => {
  t.equal(await titleOf(4), 'title 4');
  await entryOf(4);
  // As if its transaction had told the outbox, and nobody had read that yet.
  await sql.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`update campaigns set title = 'by 0.2' where id = 4`;
  });
  t.equal(await titleOf(4), 'title 4', 'nobody has told it');
  const old = keys.duplicate();
  t.teardown(() => old.disconnect());
  old.on('error', () => {});
  const heard: unknown[] = [];
  old.on('message', (_channel, text: string) => heard.push(JSON.parse(text)));
  await old.subscribe(OWN);
  await keys.unlink('Campaign-4');
  await keys.publish(KEYS.invalidations, JSON.stringify({ keys: ['Campaign-4'], replyTo: OWN, number: 7 }));
  await until('it has acknowledged', () => heard.length > 0);
  t.match(heard, [{ number: 7, from: /^larder:acknowledgements:\S+:\d+:[0-9a-f-]{36}$/ }]);
  t.equal(await titleOf(4), 'by 0.2');
});

t.test('what this version tells, 0.2 understands, and is waited for', async (t) => {
  const old = keys.duplicate();
  t.teardown(() => old.disconnect());
  old.on('error', () => {});
  const told: { keys: string[]; replyTo: string; number: number }[] = [];
  old.on('message', (channel: string, text: string) => {
    if (channel === KEYS.invalidations) told.push(JSON.parse(text));
  });
  await old.subscribe(KEYS.invalidations, OWN);
  let answered = false;
  const document = `mutation { updateCampaign(input: { id: "${globalId('Campaign', 5)}", title: "new" }) { campaign { title } } }`;
  const mutation = server.query(document, {}, bearer()).finally(() => {
    answered = true;
  });
  const mine = () => told.find(({ keys, replyTo }) => keys.includes('Campaign-5') && replyTo !== undefined);
  await until('0.2 is told', () => mine() !== undefined);
  t.notOk(answered, 'it is waited for');
  const { replyTo = '', number } = mine() ?? {};
  await keys.publish(replyTo, JSON.stringify({ number, from: OWN }));
  t.match(await mutation, { data: { updateCampaign: { campaign: { title: 'new' } } } });
});

t.test('the statements of 0.2 work on what this version has migrated', async (t) => {
  const [look] = await sql`
    select d.id, d.generation, d.run, d.turn, d.token, d.previous_token, d.database = cache_outbox_database() as ours, d.position,
      d.turned_at, d.drained_at, d.target, r.depth
    from cache_domains d cross join (select pg_current_snapshot() as now offset 0) s cross join lateral (
      select count(*)::int as depth, min(w.created_at) as age
      from cache_outbox_waiting(d.position, d.reached_xid, d.reached_number, s.now, 10000) w
    ) r where d.position is not null and d.id <> '00000000-0000-0000-0000-000000000000'`;
  t.match(look, { ours: true, generation: String, token: String });
  await sql.begin(async (sql) => {
    await sql`update campaigns set title = 'again' where id = 5`;
    const own = await sql`select entity, id::text as id from cache_outbox_own(100)`;
    t.same([...own], [{ entity: 'Campaign', id: '5' }], 'what a transaction of 0.2 finds to be its own');
  });
  const [column] = await sql`
    select from information_schema.columns where table_name = 'cache_outbox' and column_name in ('entity', 'entity_id', 'created_at', 'xid', 'number')
    having count(*) = 5`;
  t.ok(column, 'and its outbox is there');
});
