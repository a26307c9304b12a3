import { setTimeout as sleep } from 'node:timers/promises';
import { type Test, t } from 'tap';
import { campaignRepositoryB, migrateToB } from '../stage/deploy-b.ts';
import { openProcess } from '../stage/process.ts';
import { globalId, makeData } from '../support/data.ts';
import { openServer, startServer } from '../support/server.ts';
import { bearer, JWT_SECRET } from '../support/token.ts';
import { until } from '../support/until.ts';

// One connection, so that statements wait for each other there; and time for a machine that is busy.
const env = { JWT_SECRET, DATABASE_POOL_SIZE: '1', STATEMENT_TIMEOUT_MS: '20000', REQUEST_TIMEOUT_MS: '30000' };

async function start(t: Test) {
  const server = await startServer(t, { env });
  await makeData(server.sql, { brands: 2, campaigns: 6, events: 10, perCampaign: 3 });
  await server.sql`select setval('campaigns_id_seq', 1000)`;
  const mutate = (input: string) =>
    server.query<Record<string, { campaign: { title: string } } | null>>(`mutation { ${input} }`, {}, bearer());
  return { ...server, mutate };
}

const update = (title: string) =>
  `updateCampaign(input: { id: "${globalId('Campaign', 1)}", title: "${title}" }) { campaign { title } }`;
const create = (title: string) =>
  `createCampaign(input: { brandId: "${globalId('Brand', 1)}", title: "${title}" }) { campaign { title } }`;
const READ = `{
  campaigns(first: 3) { nodes { title events(first: 2) { nodes { title startsAt } } } }
  campaign(id: "${globalId('Campaign', 2)}") { title body }
}`;

t.test('a statement that was planned before its table changed is planned anew', async (t) => {
  const { sql, mutate, query } = await start(t);
  for (let i = 0; i < 2; i += 1) {
    for (const input of [update(`before ${i}`), create(`before ${i}`)])
      t.equal((await mutate(input)).errors, undefined);
    t.equal((await query(READ, {}, { 'x-inspect': 'cold' })).errors, undefined);
  }
  for (const type of ['varchar(300)', 'text', 'varchar(400)']) {
    await sql.unsafe(`alter table campaigns alter title type ${type}`);
    const [updated, created] = [await mutate(update(type)), await mutate(create(type))];
    for (const { status, errors, data } of [updated, created]) {
      t.match(
        { status, errors, title: Object.values(data ?? {})[0]?.campaign.title },
        { status: 200, errors: undefined, title: type },
      );
    }
    const rows = await sql`select id from campaigns where title = ${type}`;
    t.equal(rows.length, 2, 'each was written once');
    t.equal((await query(READ, {}, { 'x-inspect': 'cold' })).errors, undefined, 'reads go on');
  }
});

t.test('a column that is dropped fails what wants it, in words of ours, until it is there again', async (t) => {
  const { sql, query, mutate } = await start(t);
  const { errors } = await query(READ);
  t.equal(errors, undefined);
  const document = `{ campaign(id: "${globalId('Campaign', 3)}") { title body } events(first: 1) { nodes { title } } }`;
  t.equal((await query(document)).errors, undefined);
  await sql`alter table campaigns drop column body`;
  await until('it is noticed', async () => (await query(document)).errors !== undefined);
  const broken = await query(document);
  t.match(broken, { status: 200, data: { campaign: null, events: { nodes: [{ title: 'Event 1' }] } } }, 'others go on');
  t.match(broken.errors, [{ path: ['campaign'], extensions: { code: 'INTERNAL_SERVER_ERROR', errorId: String } }]);
  t.notMatch(broken.text, /body|42703|select|does not exist/i);
  t.match((await mutate(create('never'))).errors, [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }]);
  t.same(await sql`select from campaigns where title = 'never'`, [], 'what was refused was not written');
  await sql`alter table campaigns add column body text not null default 'again'`;
  const healed = await query(document);
  t.match(healed, { errors: undefined, data: { campaign: { body: 'again' } } });
  t.equal((await mutate(create('then'))).errors, undefined);
});

t.test(
  'no write is lost and no read fails while tables change, with a server of the old code and one of the new',
  async (t) => {
    const { sql, database, redis, mutate, query } = await start(t);
    await migrateToB(sql);
    const other = await openServer(t, { database, redis, env });
    const process = await openProcess({ databaseUrl: database.url, redisUrl: redis.url });
    t.teardown(() => process.close());
    const campaignsB = campaignRepositoryB(process.storage);
    const failed: unknown[] = [];
    const written: string[] = [];
    let reads = 0;
    let going = true;
    const whileGoing = async (work: (i: number) => Promise<void>) => {
      for (let i = 0; going; i += 1) await work(i);
    };
    const traffic = [
      whileGoing(async (i) => {
        const { errors } = await mutate(create(`old ${i}`));
        if (errors === undefined) written.push(`old ${i}`);
        else failed.push(errors);
      }),
      whileGoing(async (i) => {
        const title = `new ${i}`;
        const created = await campaignsB.create(
          { brandId: '1', title, body: '', subtitle: undefined as never },
          process.scope(),
        );
        if (created.subtitle !== title) failed.push(created);
        written.push(title);
      }),
      ...[query, other.query].map((ask) =>
        whileGoing(async () => {
          const { errors } = await ask(READ);
          if (errors !== undefined) failed.push(errors);
          reads += 1;
        }),
      ),
    ];
    const isEnough = () => written.length > 20 && reads > 20;
    for (let i = 0; i < 12 || !(isEnough() || failed.length > 0); i += 1) {
      // The subtitle is made of the title, whose type cannot change while it is.
      await sql.unsafe(`alter table campaigns alter body type ${i % 2 === 0 ? 'varchar(20000)' : 'text'}`);
      await sql.unsafe(`alter table campaigns add column more_${i} text default 'x'`);
      await sql.unsafe(`alter table events alter title type ${i % 2 === 0 ? 'varchar(400)' : 'text'}`);
      await sleep(50);
    }
    going = false;
    await Promise.all(traffic);
    t.same(failed, []);
    t.ok(isEnough(), `${written.length} writes and ${reads} reads`);
    const rows = await sql<{ title: string }[]>`select title from campaigns where title ~ '^(old|new) ' order by title`;
    t.same(
      rows.map(({ title }) => title),
      written.sort((a, b) => (a < b ? -1 : 1)),
      'each write once',
    );
  },
);
