import { sql as query } from 'drizzle-orm';
import { t } from 'tap';
import { openDatabase } from '../../src/postgres/client.ts';
import { statement } from '../../src/postgres/statement.ts';
import { transaction } from '../../src/postgres/transaction.ts';
import { Trace } from '../../src/trace/trace.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const insert = statement<{ n: number }>('insert', query`insert into once (n) values (1) returning n`);

t.test('a transaction counts how it ended, and a refused COMMIT as an error', async (t) => {
  const { url } = await freshDatabase(t);
  const sql = openSql(t, { url });
  await sql`create table once (n int unique deferrable initially deferred)`;
  const database = openDatabase({ url, poolSize: 1, statementTimeoutMs: 60_000 });
  t.teardown(() => database.close());
  const run = async (work?: () => never) => {
    const trace = new Trace({ recording: true });
    const add = transaction(database, 'add', (send) => send(insert, {}).then(work), trace);
    const error = await add.then(
      () => null,
      (reason: Error) => reason.name,
    );
    const [begun, inserted, end, ...more] = trace.events ?? [];
    t.match(
      [begun, inserted],
      [
        { name: 'begin', failed: false },
        { name: 'insert', failed: false },
      ],
    );
    t.same(more, []);
    return [error, end?.name, end?.failed];
  };
  t.same(await run(), [null, 'commit', false]);
  t.same(await run(), ['ConstraintViolation', 'commit', true]);
  const fail = () => {
    throw new RangeError('no');
  };
  t.same(await run(fail), ['RangeError', 'rollback', false], 'a rollback is no error of Postgres');
  t.same(await sql`select n from once`, [{ n: 1 }]);
});
