import type { ISql, Sql } from 'postgres';
import { t } from 'tap';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

t.test('two who watch a table at once: one makes the triggers, the other finds them', async (t) => {
  const database = await freshDatabase(t);
  const [sql, first, second] = [1, 2, 3].map(() => openSql(t, database)) as [Sql, Sql, Sql];
  await sql`create table things (id int primary key)`;
  const watch = (by: ISql) => by`select cache_outbox_watch('things', 'Thing')`.execute();
  const others = await first.begin(async (transaction) => {
    await watch(transaction);
    const waiting = watch(second);
    await until('the second waits', async () => {
      const waits = await sql`
        select from pg_stat_activity where wait_event_type = 'Lock' and datname = ${database.name}`;
      return waits.length === 1;
    });
    return { waiting };
  });
  await others.waiting;
  t.equal((await sql`select from pg_trigger where tgrelid = 'things'::regclass`).length, 4);
});

t.test('who finds all triggers waits for nobody', async (t) => {
  const database = await freshDatabase(t);
  const [first, second] = [1, 2].map(() => openSql(t, database)) as [Sql, Sql];
  await first`create table things (id int primary key)`;
  await first`create table others (id int primary key)`;
  const watch = (by: ISql, table: string) => by`select cache_outbox_watch(${table}::regclass, 'Thing')`.execute();
  await watch(first, 'things');
  await first.begin(async (transaction) => {
    await watch(transaction, 'others');
    await second`set lock_timeout = 1`;
    await t.resolves(watch(second, 'things'));
    await t.rejects(watch(second, 'others'), { code: '55P03' }, 'and others do');
  });
});
