import { bigint, pgTable } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { TriggerCheck } from '../../src/outbox/trigger-check.ts';
import { openDatabase } from '../../src/postgres/client.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const lamps = pgTable('lamps', { id: bigint('id', { mode: 'bigint' }).primaryKey() });

t.test('before changes are taken for noticed, what was cached without them is looked at once more', async (t) => {
  const place = await freshDatabase(t);
  const sql = openSql(t, place);
  await sql`create table lamps (id bigint primary key)`;
  const database = openDatabase({ url: place.url, poolSize: 1, statementTimeoutMs: 60_000 });
  t.teardown(() => database.close());
  const told: string[] = [];
  const check = new TriggerCheck(database, (error) => told.push(error.message));
  const isWatched = check.add({ entity: 'Lamp', table: lamps, key: ['id'] });
  const before: boolean[] = [];
  const ask = () =>
    check.ask(0, true, async () => {
      before.push(isWatched());
    });
  await ask();
  t.equal(isWatched(), false);
  t.match(told, [/^Changes of Lamp are not noticed: /]);
  t.same(before, []);
  await sql`select cache_outbox_watch('lamps', 'Lamp')`;
  await t.rejects(
    check.ask(0, true, async () => {
      throw new Error('cannot be read');
    }),
    { message: 'cannot be read' },
  );
  t.equal(isWatched(), false, 'not without that');
  await ask();
  t.same(before, [false], 'it is not trusted meanwhile');
  t.equal(isWatched(), true);
  await ask();
  t.same(before, [false], 'once is enough');
});
