import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { bigint, integer, pgSchema, pgTable, primaryKey, smallint, text, uuid, varchar } from 'drizzle-orm/pg-core';
import fc from 'fast-check';
import { graphql } from 'graphql';
import { Redis } from 'ioredis';
import { type Test, t } from 'tap';
import { createScope } from '../../src/bodies/scope.ts';
import { compositeId, compositeParts, createLarder, entity, type RepositoriesOf } from '../../src/index.ts';
import LarderPlugin, { type LarderContext } from '../../src/pothos/index.ts';
import { Trace } from '../../src/trace/trace.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const art = pgSchema('art of all');
const artists = pgTable('artists', { id: uuid('id').primaryKey(), name: text('name').notNull() });
const artworks = pgTable('artworks', {
  id: integer('id').primaryKey(),
  artistId: uuid('artist_id').notNull(),
  title: text('title').notNull(),
});
const subjects = art.table('subjects', { slug: text('slug').primaryKey(), title: text('title').notNull() });
const links = art.table(
  'links',
  { subject: text('subject_slug').notNull(), artwork: integer('artwork_id').notNull(), note: text('note') },
  (table) => [primaryKey({ columns: [table.subject, table.artwork] })],
);
const rooms = pgTable('rooms', {
  number: smallint('number').primaryKey(),
  code: varchar('code', { length: 8 }).notNull(),
});
const visits = pgTable('visits', {
  id: bigint('id', { mode: 'number' }).primaryKey(),
  room: smallint('room').notNull(),
});

const entities = {
  Artist: entity(artists),
  Artwork: entity(artworks, { lists: { byArtist: { parent: artworks.artistId } } }),
  Subject: entity(subjects, {
    lists: { ofArtwork: { from: links, parent: links.artwork, id: links.subject } },
  }),
  Link: entity(links, {
    lists: { ofSubject: { parent: links.subject, orders: { ARTWORK: links.artwork } } },
  }),
  Room: entity(rooms, { key: rooms.code }),
  Visit: entity(visits),
};

const ADA = '006ee5b8-192a-402a-9e52-e1473849f4dc';
const SLUGS = [
  'Bible: New Testament',
  'a,b',
  'a/b',
  '100%',
  '%2C',
  '',
  ' ',
  '{"x":[1]}',
  'ünïcødé 🎨',
  "it's",
  'a\\b',
  'Subject-x',
  '~x',
];

/** Ids that no row can have, by entity. */
const STRANGERS: Record<keyof typeof entities, readonly string[]> = {
  Artist: ['', '1', ADA.toUpperCase(), `{${ADA}}`, ADA.replaceAll('-', ''), ` ${ADA}`, `${ADA}\n`, `${ADA},${ADA}`],
  Artwork: ['', '007', '+1', '1.0', '1e3', '2147483648', '-2147483649', '1\0', '٣', 'x', '1,2'],
  Subject: ['\0', 'a\0b', '\ud800', 'x'.repeat(2701), '🎨'.repeat(700)],
  Link: ['', 'a', 'a,b', 'a,1,2', ',', 'a%2c,1', 'a%,1', 'a,01', 'a,b,1', '\0,1', 'a,2147483648'],
  Room: ['\0', '\udfff'],
  Visit: ['9223372036854775808', '-9223372036854775809', '-0'],
};

async function open(t: Test) {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  await sql.unsafe(`
    create schema "art of all";
    create table artists (id uuid primary key, name text not null);
    create table artworks (id int primary key, artist_id uuid not null, title text not null);
    create table "art of all".subjects (slug text primary key, title text not null);
    create table "art of all".links (subject_slug text, artwork_id int, note text, primary key (subject_slug, artwork_id));
    create table rooms (number smallint primary key, code varchar(8) not null unique);
    create table visits (id bigint primary key, room smallint not null);
    select cache_outbox_watch('artists', 'Artist', 'id'), cache_outbox_watch('artworks', 'Artwork', 'id'),
      cache_outbox_watch('"art of all".subjects', 'Subject', 'slug'),
      cache_outbox_watch('"art of all".links', 'Link', 'subject_slug', 'artwork_id'),
      cache_outbox_watch('rooms', 'Room', 'code'), cache_outbox_watch('visits', 'Visit', 'id')`);
  const larder = await createLarder({
    entities,
    postgres: { url: database.url, statementTimeoutMs: 60_000, requestTimeoutMs: 120_000 },
    redis: { url: redis.url, timeoutMs: REDIS_PATIENCE_MS },
    // So long that what is cached is believed however long a busy machine takes.
    cache: { maxStalenessMs: 600_000 },
  });
  t.teardown(larder.close);
  await until('the caches answer by id', async () => {
    const scope = createScope(new Trace());
    await larder.repositories.Visit.findById('1', scope);
    return scope.trace.sql.statements === 0;
  });
  const client = new Redis(redis.url);
  t.teardown(() => client.disconnect());
  return {
    sql,
    larder,
    drained: () => database.drained(),
    keys: async () => (await client.keys('*-*')).filter((key) => !key.startsWith('larder')).sort(),
  };
}

t.test('rows are written, read and listed by keys of every type, which are the same text everywhere', async (t) => {
  const { larder, keys, drained } = await open(t);
  const { Artist, Artwork, Subject, Link, Room, Visit } = larder.repositories;
  await Artist.create({ id: ADA, name: 'Ada' });
  for (const id of ['-7', '0', '3', '2147483647']) await Artwork.create({ id, artistId: ADA, title: `No ${id}` });
  for (const slug of SLUGS) await Subject.create({ slug, title: slug });
  for (const subject of SLUGS) await Link.create({ subject, artwork: 3, note: null });
  await Room.create({ number: 12, code: 'A,1' });
  await Visit.create({ id: '-9007199254740991', room: 12 });
  // Each change is told once more when the outbox is read, which would end what is cached below.
  await drained();

  t.same(await Artwork.findById('-7'), { id: '-7', artistId: ADA, title: 'No -7' });
  t.same(await Room.findById('A,1'), { number: 12, code: 'A,1', id: 'A,1' });
  t.match(await Visit.findById('-9007199254740991'), { id: '-9007199254740991' });
  t.same(
    await Subject.findByIds([...SLUGS, 'none', ...SLUGS]),
    [...SLUGS, null, ...SLUGS].map((slug) => (slug === null ? null : { slug, title: slug, id: slug })),
  );
  const ids = SLUGS.map((slug) => compositeId([slug, 3]));
  t.same(
    await Link.findByIds(ids),
    SLUGS.map((subject, i) => ({ subject, artwork: 3, note: null, id: ids[i] })),
  );
  t.same(
    (await keys()).filter((key) => !/^(Artist|Visit|Room)-/.test(key)),
    ['Artwork--7', ...SLUGS.map((slug) => `Subject-${slug}`), 'Subject-none', ...ids.map((id) => `Link-${id}`)].sort(),
    'as the keys of the caches say',
  );
  t.ok(Link.isId(compositeId([','.repeat(1000), 3])), 'what is escaped counts once');
  t.notOk(Link.isId(compositeId(['x'.repeat(2701), 3])));
  t.ok(ids.includes('a%2Cb,3') && ids.includes('100%25,3') && ids.includes('Bible: New Testament,3'));

  // Read from Redis, and from memory.
  for (const cold of [false, true]) {
    const scope = createScope(new Trace(), cold);
    t.same(
      (await Link.findByIds(ids, scope)).map((link) => link?.id),
      ids,
    );
    t.equal(scope.trace.sql.statements, cold ? 1 : 0);
  }
  const renamed = await Subject.update('a,b', { slug: 'c,d', title: 'C' });
  t.same(renamed, { slug: 'c,d', title: 'C', id: 'c,d' });
  t.same(await Subject.findByIds(['a,b', 'c,d']), [null, renamed], 'a key that is changed is forgotten, too');
  t.same(await Link.update(compositeId(['%2C', 3]), { note: 'x' }), {
    ...{ subject: '%2C', artwork: 3, note: 'x', id: '%252C,3' },
  });
  t.equal(await Link.delete(compositeId(['a,b', 3])), true);
  t.equal(await Link.findById(compositeId(['a,b', 3])), null);
  t.equal(await Link.delete(compositeId(['a,b', 3])), false);
});

t.test('ids of another form name nothing, and Postgres is not asked', async (t) => {
  const { larder } = await open(t);
  for (const [name, ids] of Object.entries(STRANGERS)) {
    const repository = larder.repositories[name as keyof typeof entities];
    const scope = createScope(new Trace());
    t.same(
      await repository.findByIds(ids, scope),
      ids.map(() => null),
      name,
    );
    for (const id of ids) {
      t.equal(await repository.update(id, {}, scope), null);
      t.equal(await repository.delete(id, scope), false);
    }
    t.equal(scope.trace.sql.statements, 0, name);
  }
});

t.test('what compositeId writes is read back, and nothing else', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 2, maxLength: 4 }), (parts) => {
      t.same(compositeParts(compositeId(parts)), parts);
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.constantFrom('%', ',', '2', '5', 'C', 'c', 'x')), (letters) => {
      const id = letters.join('');
      const parts = compositeParts(id);
      t.ok(parts === null || compositeId(parts) === id, id);
    }),
  );
});

const builder = new SchemaBuilder<{ Context: LarderContext<RepositoriesOf<typeof entities>> }>({
  plugins: [DataloaderPlugin, RelayPlugin, LarderPlugin],
  relay: { cursorType: 'String' },
});
builder.entity('Artist', {
  fields: (t) => ({ name: t.exposeString('name'), artworks: t.entityConnection('Artwork', { list: 'byArtist' }) }),
});
builder.entity('Artwork', {
  fields: (t) => ({
    title: t.exposeString('title'),
    artist: t.entityReference('Artist', { id: 'artistId' }),
    subjects: t.entityConnection('Subject', { list: 'ofArtwork' }),
  }),
});
builder.entity('Subject', {
  fields: (t) => ({ title: t.exposeString('title'), links: t.entityConnection('Link', { list: 'ofSubject' }) }),
});
builder.entity('Link', {
  fields: (t) => ({
    subject: t.entityReference('Subject', { id: 'subject' }),
    artwork: t.entityReference('Artwork', { id: 'artwork' }),
  }),
});
builder.queryType({ fields: (t) => ({ subjects: t.entityConnection('Subject'), subject: t.entityById('Subject') }) });
const schema = builder.toSchema();

t.test('global ids, nodes, references and cursors carry any key', async (t) => {
  const { larder } = await open(t);
  const { Artist, Artwork, Subject, Link } = larder.repositories;
  await Artist.create({ id: ADA, name: 'Ada' });
  for (const id of ['1', '2']) await Artwork.create({ id, artistId: ADA, title: `No ${id}` });
  for (const slug of SLUGS) await Subject.create({ slug, title: `About ${slug}` });
  for (const subject of SLUGS) for (const artwork of [1, 2]) await Link.create({ subject, artwork, note: null });
  const ask = async (source: string, variableValues: Record<string, unknown> = {}) => {
    const contextValue = larder.createContext();
    const { data, errors } = await graphql({ schema, source, variableValues, contextValue });
    t.same(errors, undefined);
    return { data: data as never, statements: contextValue.scope.trace.sql.statements };
  };
  interface Subjects {
    subjects: { nodes: { id: string; title: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
  }
  const met: string[] = [];
  const ids: string[] = [];
  for (let after: string | null = null; ; ) {
    const { data } = await ask(
      'query ($after: String) { subjects(first: 2, after: $after) { nodes { id title } pageInfo { hasNextPage endCursor } } }',
      { after },
    );
    const { nodes, pageInfo } = (data as Subjects).subjects;
    met.push(...nodes.map(({ title }) => title.slice('About '.length)));
    ids.push(...nodes.map(({ id }) => id));
    if (!pageInfo.hasNextPage) break;
    after = pageInfo.endCursor;
  }
  t.same([...met].sort(), [...SLUGS].sort());
  const { data: byId } = await ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Subject { title } } }', {
    ids,
  });
  t.same(
    (byId as { nodes: { title: string }[] }).nodes.map(({ title }) => title.slice('About '.length)),
    met,
  );
  const nested = `{ subjects(first: 100) { nodes { title links(first: 5) { nodes { id
    subject { title } artwork { title subjects(first: 100) { totalCount } } } } } } }`;
  // Bodies that are read by id come from caches while somebody vouches for them, which takes its time on a busy machine.
  await until('a statement for each list', async () => (await ask(nested)).statements === 3);
  const { data } = await ask(nested);
  interface Nested {
    subjects: {
      nodes: {
        title: string;
        links: { nodes: { subject: { title: string }; artwork: { subjects: { totalCount: number } } }[] };
      }[];
    };
  }
  for (const { title, links } of (data as Nested).subjects.nodes) {
    t.match(links.nodes, Array(2).fill({ subject: { title }, artwork: { subjects: { totalCount: SLUGS.length } } }));
  }
  const wrong = ['Link:a', 'Link:a,b', 'Artwork:x', 'Artist:1', 'Subject:\0'].map((id) =>
    Buffer.from(id).toString('base64'),
  );
  const { data: none, statements: asked } = await ask('query ($wrong: [ID!]!) { nodes(ids: $wrong) { id } }', {
    wrong,
  });
  t.same([none, asked], [{ nodes: wrong.map(() => null) }, 0]);
});
