import { Agent } from 'node:http';
import type { Sql } from 'postgres';
import { t } from 'tap';
import { globalId } from '../support/data.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { bearer, JWT_SECRET } from '../support/token.ts';
import { until } from '../support/until.ts';
import { type LarderChild, PATIENT, startLarder } from './support/larder.ts';

const DEATHS = 3;
const WRITERS = 16;
/** A server is killed as soon as it has acknowledged so many. */
const WRITES = 150;

/** Two transactions: one adds a row, the other changes an event and the campaigns that it is linked to. */
const WRITE = `mutation ($name: String!, $id: ID!, $startsAt: DateTime!) {
  createBrand(input: { name: $name }) { brand { name } }
  updateEvent(input: { id: $id, title: $name, startsAt: $startsAt }) { event { title } }
}`;

/** Somebody with an event of their own, and what became of their writes, which are counted from 1. */
interface Writer {
  readonly event: number;
  sent: number;
  readonly acknowledged: number[];
  /** Those that were under way when a server died: stored or not, nobody knows. */
  readonly unknown: number[];
  /** Answers that were no acknowledgement. */
  readonly wrong: unknown[];
}

const nameOf = ({ event }: Writer, write: number) => `writer ${event}, write ${write}`;
const numberOf = (name = '') => Number(name.split(' ').at(-1));
const timeOf = (write: number) => new Date(Date.UTC(2026, 0, 1) + write * 1000).toISOString();

/** Writes again and again until the connection breaks. */
async function write(larder: LarderChild, agent: Agent, writer: Writer, acknowledge: () => void): Promise<void> {
  for (;;) {
    writer.sent += 1;
    const name = nameOf(writer, writer.sent);
    const variables = { name, id: globalId('Event', writer.event), startsAt: timeOf(writer.sent) };
    let answer: Awaited<ReturnType<typeof larder.query<{ updateEvent: { event: { title: string } } }>>>;
    try {
      answer = await larder.query(WRITE, variables, { agent, headers: bearer() });
    } catch {
      // The server is dead.
      writer.unknown.push(writer.sent);
      return;
    }
    const whole = answer.errors === undefined && answer.data?.updateEvent.event.title === name;
    if (whole) writer.acknowledged.push(writer.sent);
    else writer.wrong.push(answer);
    acknowledge();
  }
}

interface Stored {
  readonly event: string;
  readonly title: string;
  readonly starts_at: string;
  /** The time that the link of its campaign has. */
  readonly linked: string;
  readonly brands: string[];
}

async function readStored(sql: Sql): Promise<Stored[]> {
  return sql<Stored[]>`
    select e.id::text as event, e.title, e.starts_at::text, l.starts_at::text as linked,
      to_json(array(select name from brands where name like 'writer ' || e.id || ', write %' order by id)) as brands
    from events e join campaign_events l on l.event_id = e.id order by e.id`;
}

t.test('a server that is killed amid writes has lost none that it acknowledged', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  await sql`insert into brands (id, name) overriding system value values (1000000, 'seller')`;
  await sql`insert into campaigns (id, brand_id, title) values (1, 1000000, 'all')`;
  await sql`
    insert into events (id, title, starts_at)
    select i, 'writer ' || i || ', write 0', '2026-01-01T00:00:00Z' from generate_series(1, ${WRITERS}::int) i`;
  await sql`insert into campaign_events (campaign_id, event_id, starts_at) select 1, id, starts_at from events`;
  const env = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    JWT_SECRET,
    INSPECT: 'off',
    ...PATIENT,
    // On a busy machine it would refuse what comes.
    MAX_EVENT_LOOP_DELAY_MS: '0',
  };
  const writers = Array.from({ length: WRITERS }, (_, i): Writer => {
    return { event: i + 1, sent: 0, acknowledged: [], unknown: [], wrong: [] };
  });

  for (let death = 1; death <= DEATHS; death += 1) {
    const larder = await startLarder(t, env);
    const agent = new Agent({ keepAlive: true, maxSockets: WRITERS });
    let count = 0;
    const writing = writers.map((writer) =>
      write(larder, agent, writer, () => {
        count += 1;
        if (count === WRITES) larder.kill('SIGKILL');
      }),
    );
    await Promise.all(writing);
    agent.destroy();
    t.equal(await larder.ended, 'signal SIGKILL');
    t.same(writers.flatMap(({ wrong }) => wrong).slice(0, 3), [], 'every write was acknowledged until then');
    t.ok(
      writers.every(({ unknown }) => unknown.length === death),
      'and one of each writer was under way',
    );

    // What its transactions still wait for ends with its connections.
    await until('its connections are gone', async () => {
      const rows = await sql`
        select from pg_stat_activity where datname = current_database() and application_name = 'larder'`;
      return rows.length === 0;
    });
    const stored = await readStored(sql);
    for (const [i, writer] of writers.entries()) {
      const { title, starts_at, linked, brands = [] } = stored[i] ?? {};
      const { acknowledged, unknown, sent } = writer;
      const last = acknowledged.at(-1) ?? 0;
      t.ok(title === nameOf(writer, last) || title === nameOf(writer, sent), `${title}: ${last} was acknowledged`);
      t.equal(linked, starts_at, 'a write is whole');
      t.equal(new Date(starts_at ?? '').toISOString(), timeOf(numberOf(title)));
      const added = brands.map(numberOf);
      t.same(
        added.filter((write) => !unknown.includes(write)),
        acknowledged,
        `${acknowledged.length} rows were acknowledged, and each is there once`,
      );
      t.equal(new Set(added).size, added.length, 'and nothing was written twice');
    }

    const heir = await startLarder(t, env);
    const list = '{ campaign(id: "Q2FtcGFpZ246MQ==") { events(first: 50) { nodes { id title } } } }';
    const { campaign } = await heir.ask<{ campaign: { events: { nodes: { id: string; title: string }[] } } }>(list);
    const shown = new Map(campaign.events.nodes.map(({ id, title }) => [id, title]));
    const titles = stored.map(({ event, title }) => [globalId('Event', event), title] as const);
    t.same([...shown].toSorted(), titles.toSorted(), 'the next server shows in lists what is stored');
    const ids = titles.map(([id]) => id);
    await until('and by id', async () => {
      const query = 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Event { title } } }';
      const { nodes } = await heir.ask<{ nodes: { title: string }[] }>(query, { ids });
      return nodes.every(({ title }, i) => title === titles[i]?.[1]);
    });
    heir.kill('SIGKILL');
    await heir.ended;
  }
});
