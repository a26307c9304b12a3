import { sql as query } from 'drizzle-orm';
import { type Test, t } from 'tap';
import { type Database, openDatabase } from '../../src/postgres/client.ts';
import { run, statement } from '../../src/postgres/statement.ts';
import { transaction } from '../../src/postgres/transaction.ts';
import { Trace } from '../../src/trace/trace.ts';
import { faultyProxy, through } from '../support/faulty-proxy.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase } from '../support/services.ts';
import { until } from '../support/until.ts';

const stores = await freshDatabase(t);
const sql = openSql(t, stores);

const echo = statement<{ n: string }>(
  'echo',
  query`select ${query.placeholder('n')}::text as n, pg_sleep(${query.placeholder('seconds')}::float8)`,
);
const insert = statement<{ id: string }>(
  'insert',
  query`insert into brands (name) values (${query.placeholder('name')}) returning id`,
);

function open(t: Test, options: Partial<Parameters<typeof openDatabase>[0]> = {}): Database {
  const database = openDatabase({ url: stores.url, poolSize: 2, statementTimeoutMs: 30_000, ...options });
  t.teardown(() => database.close());
  return database;
}

const ask = async (database: Database, n: number | string, seconds = 0) =>
  (await run(database, echo, { n, seconds }, new Trace()))[0]?.n;

const write = (database: Database, name: string, seconds = 0) =>
  transaction(
    database,
    'write',
    async (run) => {
      await run(insert, { name });
      await run(echo, { n: 'within', seconds });
    },
    new Trace(),
  );

const activity = () =>
  sql<{ pid: number; state: string; query: string }[]>`
    select pid, state, query from pg_stat_activity
    where datname = ${stores.name} and application_name = 'larder' order by pid`;

const brandsNamed = async (name: string) => (await sql`select from brands where name = ${name}`).length;

t.test('a backend that is ended takes only its own statements along', async (t) => {
  const database = open(t);
  for (const name of ['first', 'second', 'third']) {
    const writing = t.rejects(write(database, name, 60), { name: 'DatabaseUnavailable' }, `${name}: said`);
    await until('the transaction sleeps', async () =>
      (await activity()).some(({ query }) => query.includes('pg_sleep')),
    );
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = ${stores.name} and state = 'active' and query like '%pg_sleep%' and pid <> pg_backend_pid()`;
    await writing;
    t.equal(await brandsNamed(name), 0, 'nothing is written');
    t.equal(await ask(database, name), name, 'the next is answered');
  }
  await write(database, 'after');
  t.equal(await brandsNamed('after'), 1, 'and written');
});

t.test(
  'whatever breaks under load, each statement ends, and an answer is the answer to its own question',
  async (t) => {
    const proxy = await faultyProxy(t, Number(new URL(stores.url).port));
    // So long that Postgres does not end by itself what is left open.
    const database = open(t, { url: through(stores.url, proxy), poolSize: 4, statementTimeoutMs: 600_000 });
    const breaks: Record<string, () => unknown> = {
      reset: () => proxy.reset(),
      terminate: () => sql`
      select pg_terminate_backend(pid) from pg_stat_activity where datname = ${stores.name} and pid <> pg_backend_pid()`,
      refuse: () => proxy.refuse().then(() => proxy.listen()),
    };
    const ended = { right: 0, wrong: 0, unavailable: 0, other: [] as unknown[] };
    for (let round = 0; round < 60; round += 1) {
      const work = Array.from({ length: 40 }, async (_, i) => {
        const n = `${round}-${i}`;
        try {
          if (i % 8 === 7) await write(database, n);
          else if ((await ask(database, n)) !== n) ended.wrong += 1;
          ended.right += 1;
        } catch (error) {
          if (error instanceof Error && error.name === 'DatabaseUnavailable') ended.unavailable += 1;
          else ended.other.push(error);
        }
      });
      const names = Object.keys(breaks);
      // At another moment each time: before the statements are sent, while they run, when some are answered.
      for (let tick = 0; tick < round % 7; tick += 1) await new Promise((resolve) => setImmediate(resolve));
      await breaks[names[round % names.length] as string]?.();
      await Promise.all(work);
      t.equal(await askAgain(database, `after ${round}`), `after ${round}`);
    }
    t.comment(ended);
    t.same({ wrong: ended.wrong, other: ended.other }, { wrong: 0, other: [] });
    t.ok(ended.right > 0 && ended.unavailable > 0, 'both happened');
    t.same({ inside: database.gate.inside, writing: database.transactionGate.inside }, { inside: 0, writing: 0 });
    // Postgres may take a while to notice that a connection has been reset.
    await until('no connection is left over', async () => (await activity()).length <= 6);
    await until('no transaction is left open', async () =>
      (await activity()).every(({ state }) => !state.includes('in transaction')),
    );
  },
);

/** A connection that broke unnoticed costs the statement that finds out. */
async function askAgain(database: Database, n: string): Promise<string | undefined> {
  let answer: string | undefined;
  await until('an answer', async () => {
    answer = await ask(database, n).catch((error: Error) => {
      if (error.name !== 'DatabaseUnavailable') throw error;
      return undefined;
    });
    return answer !== undefined;
  });
  return answer;
}

t.test('a transaction never shares its connection, however full the others are', async (t) => {
  const database = open(t);
  const reads = Array.from({ length: 60 }, (_, i) => ask(database, i, i % 10 === 0 ? 0.2 : 0));
  const writes = Array.from({ length: 20 }, (_, i) => write(database, `full ${i}`, 0.01));
  t.same(
    await Promise.all(reads),
    Array.from({ length: 60 }, (_, i) => String(i)),
  );
  await Promise.all(writes);
  t.equal((await sql`select from brands where name like 'full %'`).length, 20);
  t.notOk(
    (await activity()).some(({ state }) => state !== 'idle'),
    'no transaction is left open',
  );
});

t.test('as many transactions are under way as reads may have connections, and no more', async (t) => {
  const database = open(t, { poolSize: 3 });
  const touch = statement<{ id: string }>('touch', query`select id from brands where name = 'locked' for update`);
  await sql`insert into brands (name) values ('locked')`;
  let writes: Promise<unknown>[] = [];
  await openSql(t, stores).begin(async (locked) => {
    await locked`select from brands where name = 'locked' for update`;
    writes = Array.from({ length: 8 }, () => transaction(database, 'touch', (run) => run(touch, {}), new Trace()));
    const seen = new Set<number>();
    await until('three wait for the lock', async () => {
      const [{ n } = { n: 0 }] = await sql<{ n: number }[]>`
        select count(*)::int as n from pg_stat_activity
        where datname = ${stores.name} and application_name = 'larder' and wait_event_type = 'Lock'`;
      seen.add(n);
      return n === 3;
    });
    t.ok(Math.max(...seen) <= 3);
    t.equal(await ask(database, 'read'), 'read', 'and they hold up no reader');
  });
  await Promise.all(writes);
});

t.test('a statement that fails amid its rows leaves no holes in those of the next', async (t) => {
  const database = open(t, { poolSize: 1 });
  const rows = statement<{ n: string }>(
    'rows',
    query`select i::text as n, 1 / (${query.placeholder('zero')}::int - i) from generate_series(1, ${query.placeholder('count')}::int) i`,
  );
  const read = (zero: number, count: number) => run(database, rows, { zero, count }, new Trace());
  await read(0, 1);
  const [failed, next] = await Promise.allSettled([read(5000, 6000), read(0, 3)]);
  t.match(failed, { status: 'rejected' });
  t.match(next, { status: 'fulfilled' });
  t.same(next.status === 'fulfilled' && Object.keys(next.value), ['0', '1', '2']);
});

t.test('what a client was told had failed is not written afterwards', async (t) => {
  const database = open(t, { statementTimeoutMs: 60_000, requestTimeoutMs: 300 });
  let late = (): void => {};
  const held = new Promise<void>((resolve) => {
    late = resolve;
  });
  const writing = transaction(
    database,
    'late',
    async (run) => {
      await run(insert, { name: 'late' });
      await held;
    },
    new Trace(),
  );
  await t.rejects(writing, { name: 'DatabaseUnavailable' });
  late();
  await until('the transaction is over', async () => database.transactionGate.inside === 0);
  t.equal(await brandsNamed('late'), 0);
});

t.test('a request that has no time left asks nothing', async (t) => {
  const database = open(t, { requestTimeoutMs: 1000 });
  const trace = new Trace({ started: performance.now() - 1001 });
  await t.rejects(run(database, echo, { n: 1, seconds: 0 }, trace), { name: 'DatabaseUnavailable' });
  t.equal(trace.sql.statements, 0);
  t.equal(database.gate.inside, 0);
});

t.test('a server that accepts and hangs up is not asked in a loop', async (t) => {
  const proxy = await faultyProxy(t, Number(new URL(stores.url).port));
  const database = open(t, { url: through(stores.url, proxy), poolSize: 4 });
  proxy.hangUp();
  const asked = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => ask(database, i)));
  t.ok(asked.every((answer) => answer.status === 'rejected'));
  t.ok(proxy.accepted <= 8, `${proxy.accepted} connections for 8 statements`);
  proxy.pass();
  t.equal(await ask(database, 'back'), 'back');
});
