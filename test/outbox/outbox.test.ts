import { randomUUID } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { type Test, t } from 'tap';
import { cleanOutbox } from '../../src/outbox/clean-outbox.ts';
import { type Domain, lookAtDomain, registerDomain, renewDomain } from '../../src/outbox/domains.ts';
import { type Change, drainOutbox } from '../../src/outbox/outbox.ts';
import { type Database, openDatabase } from '../../src/postgres/client.ts';
import { connect } from '../support/connect.ts';
import { makeLibrary } from '../support/library.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const database = await freshDatabase(t);
const sql = openSql(t, database);
await makeLibrary(sql, { libraries: 3, shelves: 30, books: 60, perShelf: 5 });

const open = (t: Test, statementTimeoutMs = 5000) => {
  const opened = openDatabase({ url: database.url, poolSize: 1, statementTimeoutMs });
  t.teardown(() => opened.close());
  return opened;
};

/** What changed while something was done, as text. */
async function changed(action: () => Promise<unknown>): Promise<string[]> {
  await sql`delete from cache_outbox`;
  await action();
  const rows = await sql<
    Change[]
  >`select entity, entity_id as id from cache_outbox order by entity, length(entity_id), entity_id`;
  return rows.map(({ entity, id }) => `${entity}-${id}`);
}

t.test('each way of changing a row leaves its id, once for each statement', async (t) => {
  const is = async (what: string, action: () => Promise<unknown>, expected: string[]) =>
    t.same(await changed(action), expected, what);

  await is('insert', () => sql`insert into libraries (id, name) values (100, 'new')`, ['Library-100']);
  await is('insert of several', () => sql`insert into libraries (id, name) values (101, 'a'), (102, 'b')`, [
    'Library-101',
    'Library-102',
  ]);
  await is('update', () => sql`update libraries set name = 'changed' where id = 100`, ['Library-100']);
  await is('update of several', () => sql`update shelves set body = 'x' where id in (1, 2, 3)`, [
    'Shelf-1',
    'Shelf-2',
    'Shelf-3',
  ]);
  await is('update that changes nothing but the version', () => sql`update books set title = title where id = 7`, [
    'Book-7',
  ]);
  await is('update that finds no row', () => sql`update books set title = 'x' where id = 999`, []);
  await is('update of an id', () => sql`update libraries set id = 200 where id = 100`, ['Library-100', 'Library-200']);
  await is('update of several ids', () => sql`update libraries set id = id + 10 where id in (101, 102)`, [
    'Library-101',
    'Library-102',
    'Library-111',
    'Library-112',
  ]);
  await is('delete', () => sql`delete from libraries where id = 200`, ['Library-200']);
  await is('delete of several', () => sql`delete from libraries where id > 100`, ['Library-111', 'Library-112']);
  await is(
    'insert … on conflict do update',
    () => sql`
    insert into libraries (id, name) values (3, 'again'), (103, 'new') on conflict (id) do update set name = excluded.name`,
    ['Library-3', 'Library-103'],
  );
  await is(
    'insert … on conflict do nothing',
    () => sql`
    insert into libraries (id, name) values (3, 'again') on conflict do nothing`,
    [],
  );
  await is(
    'merge',
    () => sql`
    merge into libraries b using (values (103, 'merged'), (104, 'new')) v(id, name) on b.id = v.id
    when matched then delete when not matched then insert (id, name) values (v.id, v.name)`,
    ['Library-103', 'Library-104'],
  );
  await is(
    'a change in a with clause',
    () => sql`
    with gone as (delete from libraries where id = 104 returning 1) update libraries set name = 'x' where id = 1`,
    ['Library-1', 'Library-104'],
  );
  await is(
    'the same row twice in one transaction',
    () => sql.begin((sql) => [sql`update libraries set name = 'y' where id = 1`, sql`delete from books where id = 60`]),
    ['Book-60', 'Library-1'],
  );
});

t.test('a link is no entity: only lists show it', async (t) => {
  t.same(await changed(() => sql`delete from shelf_books where shelf_id = 1`), []);
  t.same(await changed(() => sql`update books set published_at = published_at + interval '1 day' where id = 8`), [
    'Book-8',
  ]);
  t.same(await changed(() => sql`delete from shelves where id = 2`), ['Shelf-2'], 'what it takes along are links');
});

t.test('COPY', async (t) => {
  const copied = await changed(async () => {
    const into = await sql`copy libraries (id, name) from stdin`.writable();
    await pipeline(['300\ta\n', '301\tb\n'], into);
  });
  t.same(copied, ['Library-300', 'Library-301']);
});

t.test('what is rolled back leaves nothing, what a savepoint keeps does', async (t) => {
  const rolledBack = await changed(() =>
    t.rejects(
      sql.begin(async (sql) => {
        await sql`update libraries set name = 'no' where id = 1`;
        t.equal((await sql`select from cache_outbox`).length, 1, 'it is there, for the transaction itself');
        throw new Error('rolled back');
      }),
      { message: 'rolled back' },
    ),
  );
  t.same(rolledBack, []);
  t.same(
    await changed(() => t.rejects(sql`update libraries set id = 3 where id in (1, 3)`)),
    [],
    'a statement that fails',
  );
  const kept = await changed(() =>
    sql.begin(async (sql) => {
      await sql`update libraries set name = 'kept' where id = 1`;
      await sql
        .savepoint(async (sql) => {
          await sql`update libraries set name = 'undone' where id = 3`;
          throw new Error('to the savepoint');
        })
        .catch((error: Error) => t.equal(error.message, 'to the savepoint'));
    }),
  );
  t.same(kept, ['Library-1']);
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
      await sql`update public.libraries set name = 'z' where id = 1`;
    }),
  );
  t.same(names, ['Library-1']);
  // Nor is a table that takes the outbox's place, for whoever is looked for by name.
  const heard = await changed(() =>
    sql.begin(async (sql) => {
      await sql`create temporary table cache_outbox (entity text, entity_id text) on commit drop`;
      await sql`grant all on cache_outbox to public`;
      await sql`update public.libraries set name = 'y' where id = 1`;
    }),
  );
  t.same(heard, ['Library-1']);
});

/** Puts so many changes into an outbox of which everybody has read everything. */
async function fill(count: number): Promise<void> {
  await sql`delete from cache_outbox`;
  await sql`update cache_domains set position = pg_current_snapshot(), target = null, drained_at = now(), reached_xid = '0', reached_number = 0`;
  await insert(count);
}

const insert = (count: number) =>
  sql`insert into cache_outbox (entity, entity_id) select 'Book', i from generate_series(1, ${count}::int) i`;

/** Registers a domain, which is removed when the test ends. */
async function register(t: Test, pool: Database): Promise<() => Promise<Domain>> {
  const id = randomUUID();
  await registerDomain(pool, { id, run: 'run', token: 'token' });
  t.teardown(() => sql`delete from cache_domains where id = ${id}`);
  return async () => {
    const domain = await lookAtDomain(pool, id);
    if (domain === null) throw new Error('It is gone.');
    return domain;
  };
}

const depth = async () => (await sql`select from cache_outbox`).length;
const names = (changes: readonly Change[]) => changes.map(({ entity, id }) => `${entity}-${id}`).sort();
const NEVER_MS = 1e9;

t.test('draining', async (t) => {
  const pool = open(t);

  t.test('takes each entity once, no more than it is told to, and removes nothing', async (t) => {
    const look = await register(t, pool);
    await fill(5);
    await sql`insert into cache_outbox (entity, entity_id) values ('Book', 1), ('Library', 1)`;
    const taken: string[][] = [];
    const handle = async (changes: Change[]) => void taken.push(names(changes));
    t.match(await look(), { depth: 7, reading: false });
    t.same(await drainOutbox(pool, await look(), 2, handle), { changes: 2, more: true });
    t.match(await look(), { depth: 5, reading: true }, 'the rest waits');
    t.same(
      await drainOutbox(pool, await look(), 100, handle),
      { changes: 5, more: false },
      'counts changes, not entities',
    );
    t.same(await drainOutbox(pool, await look(), 100, handle), { changes: 0, more: false });
    t.same(taken, [
      ['Book-1', 'Book-2'],
      ['Book-1', 'Book-3', 'Book-4', 'Book-5', 'Library-1'],
    ]);
    t.match(await look(), { depth: 0, reading: false });
    t.equal(await depth(), 7, 'others may have to read it');
  });

  t.test('takes nothing when what it is for fails', async (t) => {
    const look = await register(t, pool);
    await fill(10);
    const failing = drainOutbox(pool, await look(), 100, () => Promise.reject(new Error('Redis is away')));
    await t.rejects(failing, { message: 'Redis is away' });
    t.match(await look(), { depth: 10 });
    t.match(await drainOutbox(pool, await look(), 100, async () => {}), { changes: 10 }, 'and does it the next time');
  });

  t.test('leaves it to another process that is at it, but not to another domain', async (t) => {
    const second = open(t);
    const [look, lookOfOther] = [await register(t, second), await register(t, second)];
    await fill(10);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let holds = false;
    const slow = drainOutbox(pool, await look(), 100, async () => {
      holds = true;
      await held;
    });
    await until('the first has taken', async () => holds);
    t.match(await look(), { depth: 10 }, 'what is being taken is not done');
    t.match(await drainOutbox(second, await look(), 100, async () => {}), { changes: null });
    t.match(await drainOutbox(second, await lookOfOther(), 100, async () => {}), { changes: 10, more: false });
    release();
    t.match(await slow, { changes: 10, more: false });
    t.match(await look(), { depth: 0 });
  });

  t.test('gives back what one holds who does not go on', async (t) => {
    const stuck = open(t, 300);
    const look = await register(t, pool);
    const take = async () => (await drainOutbox(pool, await look(), 100, async () => {})).changes;
    let held = Promise.resolve();
    // On a busy machine its time may be over before another comes.
    await until('another comes while it holds them', async () => {
      await held;
      await fill(10);
      const domain = await look();
      const holds = new Promise<void>((resolve) => {
        const holding = drainOutbox(stuck, domain, 100, () => {
          resolve();
          return new Promise(() => {});
        });
        held = t.rejects(holding, { name: 'DatabaseUnavailable' }).then(() => resolve());
      });
      await holds;
      return (await take()) === null;
    });
    await until('another can take it', async () => (await take()) === 10);
    await held;
  });

  t.test('does not wait for ever', async (t) => {
    const look = await register(t, pool);
    const impatient = open(t, 300);
    await fill(1);
    const domain = await look();
    await sql.begin(async (sql) => {
      await sql`lock table cache_outbox in access exclusive mode`;
      await t.rejects(
        drainOutbox(impatient, domain, 1, async () => {}),
        { name: 'DatabaseUnavailable' },
      );
      await t.rejects(lookAtDomain(impatient, domain.id), { name: 'DatabaseUnavailable' });
      await t.rejects(cleanOutbox(impatient, NEVER_MS), { name: 'DatabaseUnavailable' });
    });
    await until('it goes on', async () => {
      await drainOutbox(impatient, domain, 1, async () => {}).catch((error: Error) => {
        // On a busy machine any statement may take longer than it may.
        if (error.name !== 'DatabaseUnavailable') throw error;
      });
      return (await look()).depth === 0;
    });
  });

  t.test('misses nothing of writers who end in another order than they began in', async (t) => {
    const look = await register(t, pool);
    await fill(0);
    const writers = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const writer = await connect(t, database.url).reserve();
        await writer`begin`;
        return writer;
      }),
    );
    const seen = new Map<string, number>();
    const drain = async () => {
      for (let more = true; more; ) {
        const taken = await drainOutbox(pool, await look(), 2, async (changes) => {
          for (const name of names(changes)) seen.set(name, (seen.get(name) ?? 0) + 1);
        });
        more = taken.more;
      }
      await cleanOutbox(pool, NEVER_MS);
    };
    // Each writes, waits for a while, writes again and ends: in an order that has nothing to do with that of their numbers.
    const order = writers.map((writer, i) => ({ writer, i }));
    for (const { writer, i } of order) await writer`insert into cache_outbox (entity, entity_id) values ('A', ${i})`;
    await drain();
    t.equal(seen.size, 0);
    order.sort((one, other) => ((one.i * 5) % 12) - ((other.i * 5) % 12));
    for (const { writer, i } of order) {
      await writer`insert into cache_outbox (entity, entity_id) select 'B', ${i} * 100 + n from generate_series(1, 4) n`;
      if (i % 4 === 3) {
        await writer`rollback`;
        await drain();
        continue;
      }
      await writer`commit`;
      t.notOk(seen.has(`A-${i}`));
      await drain();
      t.equal(seen.get(`A-${i}`), 1);
      for (let n = 1; n <= 4; n += 1) t.equal(seen.get(`B-${i * 100 + n}`), 1);
      writer.release();
    }
    t.equal(seen.size, 9 * 5, 'and what was rolled back did not happen');
    t.match(await look(), { depth: 0 });
    t.equal(await depth(), 0, 'all of it was removed');
  });
});

t.test('removing', async (t) => {
  const pool = open(t);

  t.test('waits for each domain, and for one that does not read no longer than it has to', async (t) => {
    const [fast, slow] = [await register(t, pool), await register(t, pool)];
    await fill(10);
    await drainOutbox(pool, await fast(), 100, async () => {});
    t.match(await cleanOutbox(pool, NEVER_MS), { changes: 0 });
    await drainOutbox(pool, await slow(), 4, async () => {});
    t.match(await cleanOutbox(pool, NEVER_MS), { changes: 0 }, 'it has not come to the end');
    await drainOutbox(pool, await slow(), 100, async () => {});
    t.same(await cleanOutbox(pool, NEVER_MS), { changes: 10, more: false });
    t.equal(await depth(), 0);

    await insert(10);
    await drainOutbox(pool, await fast(), 100, async () => {});
    await sql`update cache_domains set drained_at = now() - interval '61 seconds' where id = ${(await slow()).id}`;
    t.match(await cleanOutbox(pool, 60_000), { changes: 10 });
    t.match(await slow(), { retired: true });
    t.match(await fast(), { retired: false });
    t.same(
      await drainOutbox(pool, await slow(), 100, async () => {}),
      { changes: null, more: false },
      'it reads no more',
    );
    const { generation } = await slow();
    await renewDomain(pool, await slow(), 'run');
    t.match(await slow(), { retired: false, depth: 0 });
    t.not((await slow()).generation, generation, 'before it has begun anew');
  });

  t.test('needs no domain', async (t) => {
    await fill(25_000);
    t.same(await cleanOutbox(pool, NEVER_MS), { changes: 10_000, more: true });
    t.same(await cleanOutbox(pool, NEVER_MS), { changes: 10_000, more: true });
    t.same(await cleanOutbox(pool, NEVER_MS), { changes: 5000, more: false });
    t.equal(await depth(), 0);
  });

  t.test('leaves what an open transaction has written, and removes what came after it', async (t) => {
    const look = await register(t, pool);
    await fill(0);
    const writer = await connect(t, database.url).reserve();
    await writer`begin`;
    await writer`insert into cache_outbox (entity, entity_id) select 'Book', i from generate_series(1, 5) i`;
    await insert(10);
    t.match(await drainOutbox(pool, await look(), 100, async () => {}), { changes: 10 });
    t.match(await cleanOutbox(pool, NEVER_MS), { changes: 10 });
    await writer`commit`;
    writer.release();
    t.equal(await depth(), 5);
    t.match(await drainOutbox(pool, await look(), 100, async () => {}), { changes: 5 });
    t.match(await cleanOutbox(pool, NEVER_MS), { changes: 5 });
  });
});

/** How many rows and index entries of the outbox a thing reads, as Postgres counts them. */
async function cost(pool: Database, action: () => Promise<unknown>): Promise<number> {
  const read = async () => {
    // Both on the one connection of each that there is.
    await pool.query('select pg_stat_force_next_flush()');
    await pool.query('select 1');
    const [row] = await sql<{ rows: string }[]>`
      select seq_tup_read + (
        select coalesce(sum(idx_tup_read), 0) from pg_stat_all_indexes i where i.relid = s.relid
      ) as rows from pg_stat_all_tables s where s.relname = 'cache_outbox'`;
    return Number(row?.rows);
  };
  const before = await read();
  await action();
  return (await read()) - before;
}

t.test('a look costs no more when the outbox is long', async (t) => {
  const pool = open(t, 60_000);
  const look = await register(t, pool);
  await fill(20_000);
  const short = await cost(pool, look);
  await fill(400_000);
  const long = await cost(pool, look);
  t.ok(short > 0 && long <= short, `${long} rows of 400,000 are looked at, ${short} of 20,000`);
  t.equal((await look()).depth, 10_000);
});

t.test('what somebody holds a snapshot of is not walked again and again', async (t) => {
  const pool = open(t, 60_000);
  const look = await register(t, pool);
  await fill(0);
  const holder = await connect(t, database.url).reserve();
  await holder`begin isolation level repeatable read`;
  await holder`select from libraries`;
  const writer = await connect(t, database.url).reserve();
  await writer`begin`;
  await writer`insert into cache_outbox (entity, entity_id) select 'Book', i from generate_series(1, 20000) i`;
  const round = async () => {
    await look();
    for (let more = true; more; ) more = (await drainOutbox(pool, await look(), 2000, async () => {})).more;
    while ((await cleanOutbox(pool, NEVER_MS)).more);
  };
  const costs: number[] = [];
  for (let i = 0; i < 20; i += 1) {
    // Many transactions, and none of what they leave can be vacuumed.
    await sql`do $$ begin for i in 1..50 loop insert into cache_outbox (entity, entity_id) select 'Book', n from generate_series(1, 200) n; commit; end loop; end $$`;
    costs.push(await cost(pool, round));
  }
  t.equal(await depth(), 0);
  const [first = 0] = costs;
  t.ok(Math.max(...costs) <= 2 * first, `${costs.join(', ')} rows and index entries a round`);
  const idle = await cost(pool, async () => {
    for (let i = 0; i < 10; i += 1) await look();
  });
  t.ok(idle < 100, `${idle} for ten looks, while 200,000 removed ones and 20,000 of an open transaction lie there`);
  await writer`commit`;
  t.equal((await look()).depth, 10_000, 'what that had written comes when it ends');
  await round();
  t.match(await look(), { depth: 0 });
  await holder`commit`;
  holder.release();
  writer.release();
});

t.test('TRUNCATE, also of what hangs on the table', async (t) => {
  const ids = async (table: string, name: string) =>
    (await sql.unsafe<{ id: string }[]>(`select id from ${table} order by id`)).map(({ id }) => `${name}-${id}`).sort();
  const libraries = await ids('libraries', 'Library');
  const shelves = await ids('shelves', 'Shelf');
  const books = await ids('books', 'Book');
  t.same((await changed(() => sql`truncate shelves cascade`)).sort(), shelves);
  t.same((await changed(() => sql`truncate libraries cascade`)).sort(), libraries, 'of shelves there are none left');
  t.same((await changed(() => sql`truncate books, shelf_books restart identity`)).sort(), books);
});
