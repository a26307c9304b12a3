import { type Test, t } from 'tap';
import { forgetEverything } from '../../src/commands/forget.ts';
import { createLarder } from '../../src/index.ts';
import { CLEANER } from '../../src/outbox/clean-outbox.ts';
import { entities, fillLibrary } from '../kit/library.ts';
import { portForLater } from '../support/port.ts';
import { openProxy } from '../support/proxy.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const HOUR_MS = 3_600_000;

const needs = { rows: true, entities: true, positions: false, total: false, flags: false };
const page = { order: 'ID', direction: 'ASC' as const, limit: 3, backward: false, needs };

/** A Larder whose way to Redis may be cut, and an operator whose way may not. */
async function open(t: Test, isCut: boolean) {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  await fillLibrary(sql, 3, 2);
  const { port } = new URL(redis.url);
  const [proxy, nowhere] = await Promise.all([openProxy(t, Number(port)), portForLater()]);
  const cut = () => {
    proxy.target(nowhere);
    proxy.cut();
  };
  if (isCut) cut();
  const larder = await createLarder({
    entities,
    postgres: { url: database.url },
    redis: { url: `redis://127.0.0.1:${proxy.port}` },
    // So long that nothing goes by itself.
    cache: { ttlMs: HOUR_MS, selfAuditRate: 0 },
  });
  t.teardown(larder.close);
  const inMemory = () => Object.values(larder.gauges.memoryUse()).reduce((sum, { entries }) => sum + entries, 0);
  const fill = () =>
    until('memory holds what a list reads', async () => {
      await larder.repositories.Author.list('all', [page]);
      return inMemory() > 0;
    });
  const stores = { postgres: database.url, statementTimeoutMs: 30_000, redis: redis.url, prefix: '' };
  /** Forgets, and tells what the operator is told. */
  const forget = async () => {
    const said: string[] = [];
    await forgetEverything(stores, Object.keys(entities), (line) => said.push(line));
    await until('memory is empty', () => inMemory() === 0);
    return said.join(' ');
  };
  /** How many domains the outbox waits for. */
  const living = async () => {
    const [row] = await sql<[{ count: number }]>`
      select count(*)::int as count from cache_domains where position is not null and id <> ${CLEANER}`;
    return row.count;
  };
  return { larder, cut, fill, forget, living, sql, restore: () => proxy.target(Number(port)) };
}

t.test('who is cut off from Redis forgets, too, however long that takes', async (t) => {
  const { larder, cut, fill, forget, living, restore } = await open(t, false);
  await until('it is of a domain', () => larder.health.domain() === 'joined');
  cut();
  await fill();
  t.match(await forget(), /\(1 cache domains\)/);
  await fill();
  t.match(await forget(), /\(0 cache domains\)/, 'nor was it told that its domain is retired by now');
  restore();
  await fill();
  await until('it is of a domain again', async () => (await living()) > 0 && larder.gauges.breakerOpen() === false);
  await fill();
  t.match(await forget(), /\(1 cache domains\)/);
});

t.test('so does who is cut off for so long that its domain is no longer known', async (t) => {
  const { larder, cut, fill, forget, sql } = await open(t, false);
  await until('it is of a domain', () => larder.health.domain() === 'joined');
  cut();
  await sql`delete from cache_domains where id <> ${CLEANER}`;
  await fill();
  // It has looked at what is there instead.
  const looks = () => larder.health.outbox()?.lookedAt ?? 0;
  const before = looks();
  await until('it has looked again', () => looks() > before);
  t.match(await forget(), /\(0 cache domains\)/);
});

t.test('so does who has never met Redis', async (t) => {
  const { fill, forget } = await open(t, true);
  await fill();
  t.match(await forget(), /\(0 cache domains\)/);
});
