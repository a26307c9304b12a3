import { t } from 'tap';
import { globalId, makeData } from '../support/data.ts';
import { openRedis, openServer, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

interface Campaigns {
  campaigns: { nodes: { title: string; events: { nodes: { id: string; title: string; startsAt: string }[] } }[] };
}

const NESTED = `{ campaigns(first: 3) { nodes {
  title events(first: 4) { nodes { id title startsAt } }
} } }`;

const stack = await startServer(t);
const { sql, database, redis } = stack;
const keys = openRedis(t, redis);
await makeData(sql, { brands: 2, campaigns: 12, events: 50, perCampaign: 10 });
// What the rows' own invalidation drops from Redis is not put back for a page that memory holds, before it is asked for by itself.
await database.drained();

t.test('a row changed by plain SQL is seen by the very next list', async (t) => {
  await stack.ask(NESTED);
  await stack.ask(NESTED);
  await sql`update campaigns set title = 'Changed behind your back' where id = 2`;
  const { campaigns } = await stack.ask<Campaigns>(NESTED);
  t.same(
    campaigns.nodes.map((campaign) => campaign.title),
    ['Campaign 1', 'Changed behind your back', 'Campaign 3'],
  );

  for (let i = 0; i < 20; i += 1) {
    await sql`update events set title = ${`Title ${i}`} where id = 9`;
    const { campaigns } = await stack.ask<Campaigns>(NESTED);
    const shown = campaigns.nodes[0]?.events.nodes.find((event) => event.id === globalId('Event', 9));
    t.equal(shown?.title, `Title ${i}`);
  }
});

t.test('even when no invalidation ever comes', async (t) => {
  // A server that knows of nothing but Redis. It fills that within the three seconds of a lease, unless the machine is too busy.
  const askAnother = async () => {
    const other = await openServer(t, { database, redis });
    const { campaigns } = await other.ask<Campaigns>(NESTED);
    await other.close();
    return campaigns.nodes[2]?.title;
  };
  let old = '';
  await until('Redis holds the body', async () => {
    old = (await keys.get('Campaign-3')) ?? '';
    if (old.startsWith('{')) return true;
    await askAnother();
    return false;
  });
  t.match(JSON.parse(old), { entity: { title: 'Campaign 3' } });
  await sql`update campaigns set title = 'New' where id = 3`;
  await database.drained();
  let stored = '';
  await until('the stale body is replaced', async () => {
    // As if nobody had dropped it.
    await keys.set('Campaign-3', old);
    t.equal(await askAnother(), 'New');
    stored = (await keys.get('Campaign-3')) ?? '';
    return stored.startsWith('{') && stored !== old;
  });
  const [row] = await sql<[{ version: string }]>`select xmin::text as version from campaigns where id = 3`;
  t.match(JSON.parse(stored), { version: row.version, entity: { title: 'New' } }, 'by the new one');
});

t.test('a list is as new as the rows', async (t) => {
  const first = async () => (await stack.ask<Campaigns>(NESTED)).campaigns.nodes[0]?.events.nodes ?? [];
  const before = await first();
  const [a, b] = [before[0]?.id, before[1]?.id];
  const last =
    Buffer.from(before.at(-1)?.id ?? '', 'base64')
      .toString()
      .split(':')[1] ?? '';

  await sql`update events set starts_at = '1999-12-31 23:59:59.999999+00' where id = ${last}`;
  const moved = await first();
  t.same(
    moved.map((event) => event.id).slice(0, 3),
    [globalId('Event', last), a, b],
    'an event that begins earlier comes earlier in its campaigns',
  );
  t.equal(moved[0]?.startsAt, '1999-12-31T23:59:59.999999Z', 'and says when');

  await sql`delete from events where id = ${last}`;
  t.equal((await first())[0]?.id, a, 'one that is deleted is gone');

  await sql`insert into events (id, title, starts_at) values (${last}, 'Again', '2000-01-01 00:00:00+00')`;
  await sql`insert into campaign_events values (1, '2000-01-01 00:00:00+00', ${last})`;
  t.match(
    (await first())[0],
    { id: globalId('Event', last), title: 'Again' },
    'and back under the same id it is another',
  );

  await sql
    .begin(async (sql) => {
      await sql`update events set title = 'Never' where id = ${last}`;
      t.equal((await first())[0]?.title, 'Again', 'what is not committed is not seen');
      throw new Error('undo');
    })
    .catch((error: Error) => t.equal(error.message, 'undo'));
  t.equal((await first())[0]?.title, 'Again', 'nor what is rolled back');
});

t.test('readers among writers see whole rows that never go back', async (t) => {
  const other = await openServer(t, { database, redis });
  const servers = [stack, other];
  let writing = true;
  const read = async (reader: number) => {
    let newest: number[] = [];
    let answers = 0;
    while (writing || answers < 5) {
      const server = servers[reader % servers.length] ?? stack;
      const { campaigns } = await server.ask<{ campaigns: { nodes: { title: string; body: string }[] } }>(
        '{ campaigns(first: 12) { nodes { title body } } }',
      );
      const counts = campaigns.nodes.map((campaign) => Number(campaign.title));
      if (campaigns.nodes.some((campaign) => campaign.title !== campaign.body)) return 'a torn row';
      if (counts.some((count, i) => count < (newest[i] ?? 0))) return `${counts} after ${newest}`;
      newest = counts;
      answers += 1;
    }
    return null;
  };
  await sql`update campaigns set title = '0', body = '0'`;
  const readers = Promise.all(Array.from({ length: 6 }, (_, i) => read(i)));
  for (let i = 1; i <= 150; i += 1) await sql`update campaigns set title = ${`${i}`}, body = ${`${i}`}`;
  writing = false;
  t.same(await readers, [null, null, null, null, null, null]);
});
