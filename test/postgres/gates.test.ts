import { sql as query } from 'drizzle-orm';
import { type Test, t } from 'tap';
import { type Database, openDatabase } from '../../src/postgres/client.ts';
import { run, runBodyRead, statement } from '../../src/postgres/statement.ts';
import { transaction } from '../../src/postgres/transaction.ts';
import { Trace } from '../../src/trace/trace.ts';
import { manualClock } from '../support/manual-clock.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

/** For each connection, as src/postgres/client.ts has it. */
const PLACES = 8;
const BODY_PLACES = 2;
/** Statements that may wait for each place, likewise. */
const WAITING = 16;

const body = statement<{ n: string }>('body', query`select count(*)::text as n from held`);
const list = statement<{ n: string }>('list', query`select count(*)::text as n from held`);
const insert = statement<{ n: string }>('insert', query`insert into held values (1) returning n::text`);

/** A database of one connection whose table somebody holds, and how many statements were sent to it and not answered. */
async function held(t: Test) {
  const { url } = await freshDatabase(t);
  const holder = openSql(t, { url });
  await holder`create table held (n int)`;
  // No time passes: what is not sent waits.
  const clock = manualClock();
  const opened = openDatabase({ url, poolSize: 1, statementTimeoutMs: 60_000, clock });
  t.teardown(() => opened.close());
  const underWay = { now: 0, most: 0 };
  const database: Database = {
    ...opened,
    query: async (text, parameters) => {
      underWay.now += 1;
      underWay.most = Math.max(underWay.most, underWay.now);
      try {
        return await opened.query(text, parameters);
      } finally {
        underWay.now -= 1;
      }
    },
  };
  const ask = (count: number, send: typeof run) => {
    const what = send === runBodyRead ? body : list;
    return Array.from({ length: count }, () => send(database, what, {}, new Trace({ clock })));
  };
  await holder`begin`;
  await holder`lock table held`;
  return { database, holder, underWay, ask, clock };
}

t.test('reads of bodies leave places to the lists, however many there are', async (t) => {
  const { holder, underWay, ask, database } = await held(t);
  const bodies = ask(20, runBodyRead);
  await until('some are sent', () => underWay.now > 0);
  t.same(underWay, { now: BODY_PLACES, most: BODY_PLACES });
  t.equal(database.gate.inside, BODY_PLACES, 'those that wait take no place from the lists');
  t.equal(database.bodyGate.waiting, 20 - BODY_PLACES);
  const lists = ask(PLACES - BODY_PLACES, run);
  await until('the lists are sent', () => underWay.now === PLACES);
  t.equal(database.gate.waiting, 0, 'no list waits');
  await holder`commit`;
  await Promise.all([...bodies, ...lists]);
  t.equal(underWay.most, PLACES);
});

t.test(
  'no more statements are under way than connections take, and who would wait too long is told at once',
  async (t) => {
    const { holder, underWay, ask, database } = await held(t);
    const lists = ask(PLACES + PLACES * WAITING, run);
    await until('some are sent', () => underWay.now > 0);
    t.same(underWay, { now: PLACES, most: PLACES });
    t.equal(database.gate.waiting, PLACES * WAITING);
    await t.rejects(Promise.all(ask(1, run)), { name: 'DatabaseUnavailable' });
    await holder`commit`;
    await Promise.all(lists);
    t.equal(underWay.most, PLACES);
  },
);

t.test('transactions have places of their own', async (t) => {
  const { holder, database, ask, clock } = await held(t);
  const lists = ask(PLACES + 1, run);
  await until('a list waits', () => database.gate.waiting === 1);
  const write = () => transaction(database, 'write', (send) => send(insert, {}), new Trace({ clock }));
  const writes = [write(), write()];
  await until('one waits for the other', () => database.transactionGate.waiting === 1);
  t.equal(database.transactionGate.inside, 1);
  await holder`commit`;
  t.same(await Promise.all(writes), [[{ n: '1' }], [{ n: '1' }]]);
  await Promise.all(lists);
});

t.test('who has waited for a place for as long as a statement may take is told', async (t) => {
  const { holder, database, ask, clock } = await held(t);
  const bodies = ask(BODY_PLACES, runBodyRead);
  await until('the places are taken', () => database.bodyGate.inside === BODY_PLACES);
  const refused = t.rejects(Promise.all(ask(1, runBodyRead)), {
    name: 'DatabaseUnavailable',
    message: /no place for body/,
  });
  await clock.advance(60_000);
  await refused;
  await holder`commit`;
  await Promise.all(bodies);
});
