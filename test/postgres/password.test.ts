import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { type Test, t } from 'tap';
import { openDatabase } from '../../src/postgres/client.ts';
import { databaseError } from '../../src/postgres/errors.ts';
import { PostgresRoute } from '../../src/postgres/route.ts';
import { targetOf } from '../../src/postgres/source.ts';
import { manualClock } from '../support/manual-clock.ts';
import { openProxy } from '../support/proxy.ts';
import { freshDatabase } from '../support/services.ts';

const { url } = await freshDatabase(t);
const { hostname, port, username, password, pathname } = new URL(url);

/** Opens a database as the client of an app does whose passwords come from a function, such as tokens of a cloud. */
function open(t: Test, pass: () => unknown, more: object = {}) {
  const place = { host: hostname, port: Number(port), user: username, database: pathname.slice(1), ...more };
  // In JavaScript, no compiler says what the function has to give.
  const client = postgres({ ...place, pass } as object);
  const database = openDatabase({ url: client, poolSize: 1, statementTimeoutMs: 30_000 });
  t.teardown(() => database.close());
  return database;
}

/** Gives what each of the functions gives, in turn, and then the password. */
function after(...first: (() => unknown)[]): () => unknown {
  return () => (first.shift() ?? (() => decodeURIComponent(password)))();
}

const failing = {
  'that rejects': async () => Promise.reject(new Error('no token today')),
  'that throws': () => {
    throw new Error('no token today');
  },
  'that gives nothing': async () => undefined,
};

for (const [which, fails] of Object.entries(failing)) {
  t.test(`a function ${which} is asked again by the next connection`, async (t) => {
    const database = open(t, after(fails, fails));
    const failed = await database.query('select 1').catch(databaseError);
    t.match(failed, {
      name: 'DatabaseUnavailable',
      message: /the function for its password: (no token|it gave no text)/,
    });
    await t.rejects(database.client`select 1`, { name: 'PostgresUnreachable' });
    t.same(await database.query('select 1 as n'), [{ n: 1 }]);
    t.same([...(await database.client`select 1 as n`)], [{ n: 1 }]);
  });
}

t.test('a function may take its time, and Postgres may hang up meanwhile', async (t) => {
  const proxy = await openProxy(t, Number(port));
  const slow = async () => {
    // Long enough for a connection that waits for the password to notice.
    await sleep(100);
    proxy.cut();
    await sleep(100);
    return decodeURIComponent(password);
  };
  const database = open(t, after(slow, slow), { host: '127.0.0.1', port: proxy.port });
  t.same(await database.query('select 1 as n'), [{ n: 1 }]);
  t.same([...(await database.client`select 1 as n`)], [{ n: 1 }]);
});

t.test('a server that is asked what it is gets the password, too', async (t) => {
  const database = open(t, after(failing['that rejects']), { target_session_attrs: 'primary' });
  t.match(await database.query('select 1').catch(databaseError), { name: 'DatabaseUnavailable' });
  t.same(await database.query('select 1 as n'), [{ n: 1 }]);
});

t.test('a function that never answers is not waited for any longer than a server is', async (t) => {
  const clock = manualClock();
  const client = postgres({ host: hostname, user: username, pass: () => new Promise(() => {}) } as object);
  t.teardown(() => client.end());
  const opened = new PostgresRoute(targetOf(client), clock).open(new AbortController().signal);
  const refused = t.rejects(opened, { name: 'PostgresUnreachable', message: /its password: no answer in 5000 ms/ });
  await clock.advance(5000);
  await refused;
  t.equal(clock.waiting, 0);
});
