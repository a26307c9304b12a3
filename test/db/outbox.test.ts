import { type Test, t } from 'tap';
import { copyRows } from '../../src/app/data/copy.ts';
import { openDatabase } from '../../src/db/client.ts';
import { type Change, drainOutbox, outboxStatus } from '../../src/db/outbox.ts';
import { makeData } from '../support/data.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase } from '../support/services.ts';
import { until } from '../support/until.ts';

const database = await freshDatabase(t);
const sql = openSql(t, database);
await makeData(sql, { brands: 3, campaigns: 30, events: 60, perCampaign: 5 });

const open = (t: Test, statementTimeoutMs = 5000) => {
  const opened = openDatabase({ url: database.url, poolSize: 1, statementTimeoutMs });
  t.teardown(() => opened.close());
  return opened;
};

/** What changed while something was done, as text. */
async function changed(action: () => Promise<unknown>): Promise<string[]> {
  await sql`delete from cache_outbox`;
  await action();
  const rows = await sql<Change[]>`select entity, entity_id as id from cache_outbox order by entity, entity_id`;
  return rows.map(({ entity, id }) => `${entity}-${id}`);
}

t.test('each way of changing a row leaves its id, once for each statement', async (t) => {
  const is = async (what: string, action: () => Promise<unknown>, expected: string[]) =>
    t.same(await changed(action), expected, what);

  await is('insert', () => sql`insert into brands (id, name) values (100, 'new')`, ['Brand-100']);
  await is('insert of several', () => sql`insert into brands (id, name) values (101, 'a'), (102, 'b')`, [
    'Brand-101',
    'Brand-102',
  ]);
  await is('update', () => sql`update brands set name = 'changed' where id = 100`, ['Brand-100']);
  await is('update of several', () => sql`update campaigns set body = 'x' where id in (1, 2, 3)`, [
    'Campaign-1',
    'Campaign-2',
    'Campaign-3',
  ]);
  await is('update that changes nothing but the version', () => sql`update events set title = title where id = 7`, [
    'Event-7',
  ]);
  await is('update that finds no row', () => sql`update events set title = 'x' where id = 999`, []);
  await is('update of an id', () => sql`update brands set id = 200 where id = 100`, ['Brand-100', 'Brand-200']);
  await is('update of several ids', () => sql`update brands set id = id + 10 where id in (101, 102)`, [
    'Brand-101',
    'Brand-102',
    'Brand-111',
    'Brand-112',
  ]);
  await is('delete', () => sql`delete from brands where id = 200`, ['Brand-200']);
  await is('delete of several', () => sql`delete from brands where id > 100`, ['Brand-111', 'Brand-112']);
  await is(
    'insert … on conflict do update',
    () => sql`
    insert into brands (id, name) values (3, 'again'), (103, 'new') on conflict (id) do update set name = excluded.name`,
    ['Brand-3', 'Brand-103'],
  );
  await is(
    'insert … on conflict do nothing',
    () => sql`
    insert into brands (id, name) values (3, 'again') on conflict do nothing`,
    [],
  );
  await is(
    'merge',
    () => sql`
    merge into brands b using (values (103, 'merged'), (104, 'new')) v(id, name) on b.id = v.id
    when matched then delete when not matched then insert (id, name) values (v.id, v.name)`,
    ['Brand-103', 'Brand-104'],
  );
  await is(
    'a change in a with clause',
    () => sql`
    with gone as (delete from brands where id = 104 returning 1) update brands set name = 'x' where id = 1`,
    ['Brand-1', 'Brand-104'],
  );
  await is(
    'the same row twice in one transaction',
    () => sql.begin((sql) => [sql`update brands set name = 'y' where id = 1`, sql`delete from events where id = 60`]),
    ['Brand-1', 'Event-60'],
  );
});

t.test('a link is no entity: only lists show it', async (t) => {
  t.same(await changed(() => sql`delete from campaign_events where campaign_id = 1`), []);
  t.same(await changed(() => sql`update events set starts_at = starts_at + interval '1 day' where id = 8`), [
    'Event-8',
  ]);
  t.same(await changed(() => sql`delete from campaigns where id = 2`), ['Campaign-2'], 'what it takes along are links');
});

t.test('COPY', async (t) => {
  const pool = open(t);
  const copied = await changed(() =>
    pool.client.begin((sql) =>
      copyRows(sql, 'brands (id, name)', [
        ['300', 'a'],
        ['301', 'b'],
      ]),
    ),
  );
  t.same(copied, ['Brand-300', 'Brand-301']);
});

t.test('what is rolled back leaves nothing, what a savepoint keeps does', async (t) => {
  const rolledBack = await changed(() =>
    t.rejects(
      sql.begin(async (sql) => {
        await sql`update brands set name = 'no' where id = 1`;
        t.equal((await sql`select from cache_outbox`).length, 1, 'it is there, for the transaction itself');
        throw new Error('rolled back');
      }),
      { message: 'rolled back' },
    ),
  );
  t.same(rolledBack, []);
  t.same(
    await changed(() => t.rejects(sql`update brands set id = 3 where id in (1, 3)`)),
    [],
    'a statement that fails',
  );
  const kept = await changed(() =>
    sql.begin(async (sql) => {
      await sql`update brands set name = 'kept' where id = 1`;
      await sql
        .savepoint(async (sql) => {
          await sql`update brands set name = 'undone' where id = 3`;
          throw new Error('to the savepoint');
        })
        .catch((error: Error) => t.equal(error.message, 'to the savepoint'));
    }),
  );
  t.same(kept, ['Brand-1']);
});

t.test('who may change an entity need not be allowed to touch the outbox', async (t) => {
  const role = `${database.name}_writer`;
  await sql`create role ${sql(role)}`;
  t.teardown(async () => {
    await sql`drop owned by ${sql(role)}`;
    await sql`drop role ${sql(role)}`;
  });
  await sql`grant select, insert, update, delete, truncate on all tables in schema public to ${sql(role)}`;
  await sql`revoke all on cache_outbox from ${sql(role)}`;
  const names = await changed(() =>
    sql.begin(async (sql) => {
      await sql`set local role ${sql(role)}`;
      // Neither is a search path that hides the outbox in its way.
      await sql`set local search_path = pg_temp`;
      await sql`update public.brands set name = 'z' where id = 1`;
    }),
  );
  t.same(names, ['Brand-1']);
});

/** Puts so many changes into an empty outbox. */
async function fill(count: number): Promise<void> {
  await sql`delete from cache_outbox`;
  await sql`insert into cache_outbox (entity, entity_id) select 'Event', i from generate_series(1, ${count}::int) i`;
}

const depth = async () => (await sql`select from cache_outbox`).length;

t.test('draining', async (t) => {
  const pool = open(t);

  t.test('takes the oldest first, each entity once, no more than it is told to', async (t) => {
    await fill(5);
    await sql`insert into cache_outbox (entity, entity_id) values ('Event', 1), ('Brand', 1)`;
    const taken: string[][] = [];
    const handle = async (changes: Change[]) => void taken.push(changes.map(({ entity, id }) => `${entity}-${id}`));
    t.equal(await drainOutbox(pool, 2, handle), 2);
    t.equal(await drainOutbox(pool, 100, handle), 5, 'counts changes, not entities');
    t.equal(await drainOutbox(pool, 100, handle), 0);
    t.same(taken[0]?.sort(), ['Event-1', 'Event-2']);
    t.same(taken[1]?.sort(), ['Brand-1', 'Event-1', 'Event-3', 'Event-4', 'Event-5']);
    t.equal(taken.length, 2, 'nothing is handled when nothing waits');
  });

  t.test('takes nothing when what it is for fails', async (t) => {
    await fill(10);
    const failing = drainOutbox(pool, 100, () => Promise.reject(new Error('Redis is away')));
    await t.rejects(failing, { message: 'Redis is away' });
    t.equal(await depth(), 10);
    t.equal(await drainOutbox(pool, 100, async () => {}), 10, 'and does it the next time');
  });

  t.test('leaves to others what another is taking', async (t) => {
    const second = open(t);
    await fill(10);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const seen: string[] = [];
    const note = async (changes: Change[]) => void seen.push(...changes.map(({ id }) => id));
    const slow = drainOutbox(pool, 6, async (changes) => {
      await note(changes);
      await held;
    });
    await until('the first has taken', async () => seen.length === 6);
    t.match(await outboxStatus(second), { depth: 10 }, 'what is being taken is not done');
    t.equal(await drainOutbox(second, 100, note), 4);
    t.equal(await drainOutbox(second, 100, note), 0);
    release();
    t.equal(await slow, 6);
    t.equal(new Set(seen).size, 10, 'each once');
    t.equal(await depth(), 0);
  });

  t.test('gives back what one holds who does not go on', async (t) => {
    const stuck = open(t, 300);
    await fill(10);
    let holds = false;
    const holding = drainOutbox(stuck, 100, () => {
      holds = true;
      return new Promise(() => {});
    });
    const outcome = t.rejects(holding, { name: 'DatabaseUnavailable' });
    await until('it holds them', async () => holds);
    t.equal(await drainOutbox(pool, 100, async () => {}), 0);
    let taken = 0;
    await until('another can take it', async () => {
      taken += await drainOutbox(pool, 100, async () => {});
      return taken === 10;
    });
    await outcome;
  });

  t.test('does not wait for ever', async (t) => {
    const impatient = open(t, 300);
    await fill(1);
    await sql.begin(async (sql) => {
      await sql`lock table cache_outbox in access exclusive mode`;
      await t.rejects(
        drainOutbox(impatient, 1, async () => {}),
        { name: 'DatabaseUnavailable' },
      );
      await t.rejects(outboxStatus(impatient), { name: 'DatabaseUnavailable' });
    });
    t.equal(await drainOutbox(impatient, 1, async () => {}), 1);
  });
});

t.test('the status', async (t) => {
  const pool = open(t);
  await fill(0);
  t.same(await outboxStatus(pool), { depth: 0, ageMs: 0 });
  await sql`insert into cache_outbox (entity, entity_id, created_at) values
    ('Event', 1, now() - interval '2 seconds'), ('Event', 2, now() - interval '1 minute'), ('Event', 3, now())`;
  const { depth, ageMs } = await outboxStatus(pool);
  t.equal(depth, 3);
  t.ok(ageMs >= 60_000 && ageMs < 70_000, `the oldest counts, whatever its place: ${ageMs}`);
  await sql`update cache_outbox set created_at = now() + interval '1 hour'`;
  t.equal((await outboxStatus(pool)).ageMs, 0, 'a clock that was set back makes no negative age');
});

t.test('the status costs no more when the outbox is long', async (t) => {
  const pool = open(t, 60_000);
  const cost = async () => {
    await sql`vacuum analyze cache_outbox`;
    await sql`select pg_stat_force_next_flush()`;
    await sql`select pg_stat_reset_single_table_counters(relid)
      from (select 'cache_outbox'::regclass as relid union all select indexrelid from pg_index where indrelid = 'cache_outbox'::regclass)`;
    await outboxStatus(pool);
    // On the one connection that there is.
    await pool.query('select pg_stat_force_next_flush()');
    const [row] = await sql<{ rows: string }[]>`
      select seq_tup_read + (
        select coalesce(sum(idx_tup_read), 0) from pg_stat_all_indexes i where i.relid = s.relid
      ) as rows from pg_stat_all_tables s where s.relname = 'cache_outbox'`;
    return Number(row?.rows);
  };
  await fill(20_000);
  const short = await cost();
  await fill(400_000);
  const long = await cost();
  t.ok(short > 0 && long <= short, `${long} rows of 400,000 are looked at, ${short} of 20,000`);
  const { depth } = await outboxStatus(pool);
  t.ok(depth >= 10_000, `${depth} or more`);
});

t.test('TRUNCATE, also of what hangs on the table', async (t) => {
  const ids = async (table: string, name: string) =>
    (await sql.unsafe<{ id: string }[]>(`select id from ${table} order by id`)).map(({ id }) => `${name}-${id}`).sort();
  const brands = await ids('brands', 'Brand');
  const campaigns = await ids('campaigns', 'Campaign');
  const events = await ids('events', 'Event');
  t.same((await changed(() => sql`truncate campaigns cascade`)).sort(), campaigns);
  t.same((await changed(() => sql`truncate brands cascade`)).sort(), brands, 'of campaigns there are none left');
  t.same((await changed(() => sql`truncate events, campaign_events restart identity`)).sort(), events);
});
