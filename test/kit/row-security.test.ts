import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { createLarder, entity } from '../../src/index.ts';
import { columnsKnown } from '../support/columns-known.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
import { openRedis, openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const orders = pgTable('orders', {
  id: integer('id').primaryKey(),
  tenantId: integer('tenant_id').notNull(),
  note: text('note').notNull(),
});

t.test('of Larders that share a Redis, none answers with what row security hides from it', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  const role = `${database.name}_tenant`;
  await sql.unsafe(`
    create table orders (id int primary key, tenant_id int not null, note text not null);
    insert into orders select i, 1, 'of the first' from generate_series(1, 9) i;
    alter table orders enable row level security;
    create policy of_tenant on orders using (tenant_id = current_setting('app.tenant', true)::int);
    select cache_outbox_watch('orders', 'Order');
    create role ${role} login password 'secret';
    grant select on orders to ${role};
    grant select, delete on cache_outbox to ${role};
    grant select, insert, update, delete on cache_domains to ${role}`);
  t.teardown(async () => {
    await sql.unsafe(`drop owned by ${role}; drop role ${role}`);
  });
  const warnings: string[] = [];
  const open = async (url: string) => {
    const larder = await createLarder({
      entities: { Order: entity(orders) },
      postgres: { url, statementTimeoutMs: 60_000 },
      redis: { url: redis.url, timeoutMs: REDIS_PATIENCE_MS },
      // Nothing but Redis and Postgres answers then.
      cache: { memoryMaxEntries: 0, selfAuditRate: 0, maxStalenessMs: 60_000 },
      logger: { info: () => {}, warn: (fields, message) => warnings.push(`${message}: ${JSON.stringify(fields)}`) },
    });
    t.teardown(() => larder.close());
    await until('it has joined', () => larder.health.domain() === 'joined');
    await columnsKnown(larder);
    return larder;
  };
  const openTenant = (tenant: number) => {
    const url = new URL(database.url);
    url.username = role;
    url.password = 'secret';
    url.searchParams.set('options', `-c app.tenant=${tenant}`);
    return open(url.href.replaceAll('+', '%20'));
  };
  const [first, second, owner] = await Promise.all([openTenant(1), openTenant(2), open(database.url)]);
  const held = openRedis(t, redis);
  /** Reads until Redis has what the Larder finds. */
  const fill = async ({ repositories }: typeof first, id: string) => {
    const found = await repositories.Order.findById(id);
    await until('Redis has it', async () => {
      await repositories.Order.findById(id);
      return (await held.get(`Order-${id}`))?.startsWith('{') ?? false;
    });
    return found?.note ?? null;
  };
  const note = async ({ repositories }: typeof first, id: string) =>
    (await repositories.Order.findById(id))?.note ?? null;

  t.equal(await fill(first, '7'), 'of the first');
  t.equal(await note(second, '7'), null, 'a body of another tenant');
  t.equal(await fill(owner, '8'), 'of the first');
  t.equal(await note(second, '8'), null, 'a body that one has read whom policies do not bind');
  t.equal(await note(second, '9'), null);
  t.equal(await note(first, '9'), 'of the first', 'another sees no such row');
  t.equal(await note(owner, '9'), 'of the first');

  const reason = new RegExp(`^Changes of Order are not noticed: orders has row security, .* to ${role}: declare`);
  const named = ({ health }: typeof first) => health.problems().some((line) => reason.test(line));
  await until('it is named for both', () => named(first) && named(second));
  t.same([first, second, owner].map(named), [true, true, false]);
  t.ok(warnings.some((line) => line.includes('orders has row security')));

  await sql`alter table orders disable row level security`;
  await until('that is noticed', () => !named(second));
  t.equal(await fill(second, '7'), 'of the first');
  await sql`alter table orders enable row level security`;
  await until('and the contrary', () => named(second));
  t.equal(await note(second, '7'), null);
});
