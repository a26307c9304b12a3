import { integer, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { createLarder, entity, rfc3339 } from '../../src/index.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
import { counted, openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const artists = pgTable('artists', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull(),
  number: integer('number'),
});
const Artist = entity(artists, { by: { name: artists.name, number: artists.number } });

t.test('an entity is found by a unique column: Postgres says which row, caches supply the body', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  await sql.unsafe(`
    create table artists (id uuid primary key, name text not null, number int);
    create index on artists (name, id);
    insert into artists select md5(i::text)::uuid, 'artist ' || i, i from generate_series(1, 20) i;
    insert into artists values ('00000000-0000-0000-0000-000000000002', 'twice'), ('00000000-0000-0000-0000-000000000001', 'twice');
    select cache_outbox_watch('artists', 'Artist')`);
  const larder = await createLarder({
    entities: { Artist },
    postgres: { url: database.url },
    redis: { url: redis.url, timeoutMs: REDIS_PATIENCE_MS },
    cache: { selfAuditRate: 0 },
  });
  t.teardown(() => larder.close());
  const { repositories } = larder;
  const stores = { database, redis };
  const names = (values: readonly string[]) => async () =>
    (await repositories.Artist.findAllBy('name', values)).map((artist) => artist?.name ?? null);
  const asked = ['artist 1', 'nobody', 'artist 2', 'artist 1', 'with\0zero', 'twice'];
  await until('caches have them', async () => {
    const { scope } = larder.createContext();
    await repositories.Artist.findAllBy('name', asked, scope);
    return scope.trace.cache.Artist?.hits === 3;
  });
  const warm = await counted(stores, names(asked));
  t.same(warm.answer, ['artist 1', null, 'artist 2', 'artist 1', null, 'twice']);
  t.equal(warm.sql, 1, `warm: ${JSON.stringify(warm.statements)}`);
  t.equal((await counted(stores, names(['artist 3']))).sql, 2, 'cold');
  const together = await counted(stores, () =>
    Promise.all([1, 2, 3].map((n) => repositories.Artist.findBy('name', `artist ${n}`))),
  );
  t.equal(together.sql, 1, 'requests of one turn ask together');
  t.equal((await counted(stores, names(['with\0zero']))).sql, 0, 'what the column cannot have is not asked for');
  t.equal(
    (await repositories.Artist.findBy('name', 'twice'))?.id,
    '00000000-0000-0000-0000-000000000001',
    'the least key',
  );

  await sql`update artists set name = case number when 1 then 'artist 2' when 2 then 'artist 1' end where number < 3`;
  t.equal((await repositories.Artist.findBy('name', 'artist 1'))?.number, 2, 'never stale');
  t.equal((await repositories.Artist.findBy('number', '2'))?.name, 'artist 1');
  for (const value of ['x', '02', '9999999999'])
    t.equal(await repositories.Artist.findBy('number', value), null, value);
  // @ts-expect-error the entity is not found by it
  await t.rejects(repositories.Artist.findBy('born', '1900'), /Nothing is found by born: expected one of name, number/);
});

t.test('a time is found by the value that its field has, and by the text that Postgres writes', async (t) => {
  const database = await freshDatabase(t);
  await openSql(t, database).unsafe(`
    create table concerts (id uuid primary key, starts_at timestamptz not null unique);
    select cache_outbox_watch('concerts', 'Concert')`);
  const concerts = pgTable('concerts', { id: uuid('id').primaryKey(), startsAt: rfc3339('starts_at').notNull() });
  const entities = { Concert: entity(concerts, { by: { startsAt: concerts.startsAt } }) };
  await using larder = await createLarder({ entities, postgres: { url: database.url } });
  const { Concert } = larder.repositories;
  const made = await Concert.create({
    id: '00000000-0000-0000-0000-000000000001',
    startsAt: '2026-01-02T03:04:05.000006Z',
  });
  const asked = [made.startsAt, '2026-01-02 03:04:05.000006+00', '2026-01-02T03:04:05.000007Z', 'soon', made.startsAt];
  t.same(await Concert.findAllBy('startsAt', asked), [made, made, null, null, made]);
  t.same(await Concert.findBy('startsAt', made.startsAt), made);
});
