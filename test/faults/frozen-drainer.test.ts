import { t } from 'tap';
import { globalId } from '../support/data.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { until } from '../support/until.ts';
import { type LarderChild, startLarder } from './support/larder.ts';

const SERVERS = 4;
const ROWS = 20_000;
const MAX_STALENESS_MS = 5000;

t.test(
  'of four servers, one that is frozen amid its draining holds the others up for a bound, and no read is wrong',
  async (t) => {
    const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
    const sql = openSql(t, database);
    await sql`insert into brands (id, name) values (1, 'brand 0')`;
    await sql`insert into events (id, title, starts_at) select i, 'Event ' || i, now() from generate_series(1, ${ROWS}::int) i`;
    const servers = await Promise.all(
      Array.from({ length: SERVERS }, (_, i) =>
        startLarder(t, {
          DATABASE_URL: `${database.url}?application_name=larder-${i}`,
          REDIS_URL: redis.url,
          MAX_STALENESS_MS: String(MAX_STALENESS_MS),
        }),
      ),
    );
    const empty = async () => (await sql`select from cache_outbox limit 1`).length === 0;
    await until('what came at the start is drained', empty);

    let version = 0;
    let written = 0;
    const write = async () => {
      version += 1;
      await sql.begin(async (sql) => {
        await sql`update events set title = title || '!'`;
        await sql`update brands set name = ${`brand ${version}`} where id = 1`;
      });
      written = performance.now();
    };
    /** Stops all at once, and answers which of them is amid a transaction of its drainer. */
    const freeze = async (): Promise<number | null> => {
      for (const server of servers) server.kill('SIGSTOP');
      const [row] = await sql<{ name: string }[]>`
      select application_name as name from pg_stat_activity a join pg_locks l using (pid)
      where datname = current_database() and state = 'idle in transaction' and l.relation = 'cache_domains'::regclass
        and l.mode = 'RowShareLock'`;
      return row === undefined ? null : Number(row.name.split('-')[1]);
    };
    t.teardown(() => {
      for (const server of servers) server.kill('SIGCONT');
    });
    let frozen: number | null = null;
    await until('one is stopped amid its draining', async () => {
      if (await empty()) await write();
      frozen = await freeze();
      if (frozen === null) for (const server of servers) server.kill('SIGCONT');
      return frozen !== null;
    });
    const others = servers.filter((_, i) => i !== frozen);
    for (const server of others) server.kill('SIGCONT');
    t.notOk(await empty(), 'others have something to do');

    const ask = `{ node(id: "${globalId('Brand', 1)}") { ... on Brand { name } } }`;
    /** A machine that does much else may take too long for a statement: whoever is told to come again does. */
    const nameAt = async (server: LarderChild): Promise<string> => {
      for (;;) {
        const { status, data } = await server.query<{ node: { name: string } }>(ask);
        if (status === 200 && data != null) return data.node.name;
        t.equal(status, 503);
      }
    };
    const current = () => `brand ${version}`;
    const read = async () => {
      const began = performance.now();
      const names = await Promise.all(others.map(nameAt));
      const late = began - written > MAX_STALENESS_MS;
      if (late) t.same(names, names.map(current), `${Math.round(began - written)} ms after it was written`);
    };
    const stopped = performance.now();
    await until('the others have drained it', async () => {
      await read();
      return empty();
    });
    // What idles in a transaction for STATEMENT_TIMEOUT_MS is ended by Postgres, and then it is anybody's turn.
    t.comment(`the others went on ${Math.round(performance.now() - stopped)} ms after one was stopped`);
    t.equal(servers[frozen ?? 0]?.alive(), true, 'while it is still stopped');
    await until('every read by id is current', async () =>
      (await Promise.all(others.map(nameAt))).every((name) => name === current()),
    );
    await until('all vouch again', async () =>
      (await Promise.all(others.map((server) => server.get('/readyz')))).every(({ body }) => body.status === 'ready'),
    );

    servers[frozen ?? 0]?.kill('SIGCONT');
    t.equal(await nameAt(servers[frozen ?? 0] as LarderChild), current(), 'it believes nothing of before');
    await write();
    await until('it is told of what is written then, too', async () =>
      (await Promise.all(servers.map(nameAt))).every((name) => name === current()),
    );
    await until('and all of it is drained', empty);
  },
);
