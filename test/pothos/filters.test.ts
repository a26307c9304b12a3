import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { sql as raw } from 'drizzle-orm';
import {
  customType,
  integer,
  interval,
  jsonb,
  numeric,
  pgEnum,
  pgTable,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';
import { graphql } from 'graphql';
import { t } from 'tap';
import { condition, createLarder, entity, type RepositoriesOf } from '../../src/index.ts';
import LarderPlugin, { type LarderContext } from '../../src/pothos/index.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const kind = pgEnum('kind', ['painting', 'drawing', 'sculpture']);
const positive = customType<{ data: number }>({ dataType: () => 'positive_int' });
const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' });
const artworks = pgTable('artworks', {
  id: integer('id').primaryKey(),
  artist: uuid('artist').notNull(),
  title: text('title').notNull(),
  madeYear: integer('made_year'),
  height: numeric('height'),
  tags: text('tags').array().notNull(),
  dimensions: jsonb('dimensions').$type<object>(),
  kind: kind('kind').notNull(),
  drying: interval('drying').notNull(),
  words: tsvector('words').notNull(),
  price: positive('price').notNull(),
  made: timestamp('made', { withTimezone: true }).notNull(),
});
const entities = {
  Artwork: entity(artworks, {
    lists: {
      all: {
        orders: { ID: null, DRYING: artworks.drying, PRICE: artworks.price },
        filters: {
          kind: { eq: artworks.kind },
          kinds: { in: artworks.kind },
          years: { in: artworks.madeYear },
          later: { gt: artworks.madeYear },
          upTo: { lte: artworks.madeYear },
          higher: { gte: artworks.height },
          tags: { contains: artworks.tags },
          allTags: { eq: artworks.tags },
          dimensions: { contains: artworks.dimensions },
          undated: { isNull: artworks.madeYear },
          title: { startsWith: artworks.title },
          kindOf: { startsWith: artworks.kind },
          year: { search: artworks.madeYear, config: 'simple' },
          words: { search: artworks.words, config: 'english' },
          about: { search: artworks.title, config: 'english' },
          odd: condition(artworks, 'integer', (row, value) => raw`${row.id} % 2 = ${value}`),
          oneOf: condition(artworks, 'text[]', (row, value) => raw`lower(${row.title}) = any(${value})`),
          dries: { lt: artworks.drying },
          dearer: { gt: artworks.price },
          prices: { in: artworks.price },
          matches: condition(artworks, 'text', (row, value) => raw`${row.title} ~ ${value}`),
          like: condition(artworks, 'text', (row, value) => raw`${row.title} like ${value} escape '!'`),
          part: condition(artworks, 'integer', (row, value) => raw`100 / ${value} > ${row.id}`),
          since: { gte: artworks.made },
          madeAt: { in: artworks.made },
        },
      },
    },
  }),
};

const builder = new SchemaBuilder<{ Context: LarderContext<RepositoriesOf<typeof entities>> }>({
  plugins: [DataloaderPlugin, RelayPlugin, LarderPlugin],
  relay: { cursorType: 'String' },
});
builder.entity('Artwork', { fields: (t) => ({ title: t.exposeString('title') }) });
const Order = builder.enumType('Order', { values: ['ID', 'DRYING', 'PRICE'] as const });
builder.queryType({
  fields: (t) => ({
    artworks: t.entityConnection('Artwork', {
      args: {
        orderBy: t.arg({ type: Order }),
        kind: t.arg.string(),
        kinds: t.arg.stringList(),
        years: t.arg.intList(),
        later: t.arg.int(),
        upTo: t.arg.int(),
        higher: t.arg.string(),
        tags: t.arg.stringList(),
        allTags: t.arg.stringList(),
        width: t.arg.int(),
        undated: t.arg.boolean(),
        title: t.arg.string(),
        kindOf: t.arg.string(),
        year: t.arg.string(),
        words: t.arg.string(),
        about: t.arg.string(),
        odd: t.arg.int(),
        oneOf: t.arg.stringList(),
        dries: t.arg.string(),
        dearer: t.arg.int(),
        prices: t.arg.intList(),
        matches: t.arg.string(),
        like: t.arg.string(),
        part: t.arg.int(),
        since: t.arg.string(),
        madeAt: t.arg.stringList(),
      },
      source: (_root, { orderBy, width, kind, kinds, since, madeAt, ...filters }) => ({
        list: 'all',
        order: orderBy ?? 'ID',
        filters: {
          ...filters,
          kind: kind as 'painting' | null,
          kinds: kinds as 'painting'[] | null,
          dimensions: width == null ? null : { width },
          since: since == null ? null : new Date(since),
          madeAt: madeAt?.map((time) => new Date(time)),
        },
      }),
    }),
  }),
});
const schema = builder.toSchema();

const database = await freshDatabase(t);
const sql = openSql(t, database);
await sql.unsafe(`
  create type kind as enum ('painting', 'drawing', 'sculpture', 'new');
  create domain positive_int as int check (value > 0);
  create table artworks (
    id int primary key, artist uuid not null, title text not null, made_year int, height numeric, tags text[] not null,
    dimensions jsonb, kind kind not null, drying interval not null, words tsvector generated always as (to_tsvector('english', title)) stored,
    price positive_int not null default 5, made timestamptz not null default '2026-01-02 03:04:05+00'
  );
  insert into artworks (id, artist, title, made_year, height, tags, dimensions, kind, drying) values
    (1, '${'0'.repeat(8)}-0000-4000-8000-000000000000', 'Boats at Sea', 1900, 1.5, '{boat,sea}', '{"width": 1, "depth": 2}', 'painting', '1 day'),
    (2, '${'0'.repeat(8)}-0000-4000-8000-000000000000', 'A boat, drawn', 1901, 2.25, '{boat,"a, b"}', '{"width": 2}', 'drawing', '2 days'),
    (3, '${'0'.repeat(8)}-0000-4000-8000-000000000000', '100% sea', null, null, '{}', null, 'drawing', '1 hour'),
    (4, '${'0'.repeat(8)}-0000-4000-8000-000000000000', '100_ seas', 1902, 10, '{"\\\\\\"quoted\\\\\\""}', '{}', 'new', '3 days')`);
// A text of fewer words is too deep then.
await sql.unsafe(`do $$ begin
  execute format('alter database %I set max_stack_depth = ''200kB''', current_database());
end $$`);
const larder = await createLarder({ entities, postgres: { url: database.url } });
t.teardown(larder.close);

interface Answer {
  data: Record<
    string,
    { nodes: { id: string }[]; totalCount?: number; pageInfo?: { endCursor: string } } | null
  > | null;
  errors?: readonly { path?: readonly unknown[]; extensions: Record<string, unknown>; message: string }[];
  statements: number;
}

async function ask(source: string): Promise<Answer> {
  const contextValue = larder.createContext();
  const answer = (await graphql({ schema, source, contextValue })) as unknown as Omit<Answer, 'statements'>;
  return { ...answer, statements: contextValue.scope.trace.sql.statements };
}

const idsOf = (page: { nodes: { id: string }[] } | null | undefined) =>
  page?.nodes.map(({ id }) => Number(Buffer.from(id, 'base64').toString().split(':')[1]));

const CASES: readonly (readonly [args: string, ids: readonly number[]])[] = [
  ['kind: "drawing"', [2, 3]],
  ['kinds: ["painting", "drawing"]', [1, 2, 3]],
  ['kinds: []', []],
  ['years: [1900, 1902, 7]', [1, 4]],
  ['later: 1900', [2, 4]],
  ['later: 1900, upTo: 1901', [2]],
  ['higher: "2.25"', [2, 4]],
  ['higher: "2.2500001"', [4]],
  ['tags: ["boat"]', [1, 2]],
  ['tags: ["a, b", "boat"]', [2]],
  ['tags: ["\\\\\\"quoted\\\\\\""]', [4]],
  ['tags: []', [1, 2, 3, 4]],
  ['allTags: ["boat", "sea"]', [1]],
  ['allTags: []', [3]],
  ['kindOf: "draw"', [2, 3]],
  ['year: "1901"', [2]],
  ['width: 2', [2]],
  ['undated: true', [3]],
  ['undated: false', [1, 2, 4]],
  ['title: "100%"', [3]],
  ['title: "100_"', [4]],
  ['title: "100"', [3, 4]],
  ['title: "boats"', [1]],
  ['words: "boat"', [1, 2]],
  ['words: "boat -sea"', [2]],
  ['about: "seas"', [1, 3, 4]],
  ['odd: 1', [1, 3]],
  ['oneOf: ["100% sea", "boats at sea"]', [1, 3]],
  ['dries: "36 hours"', [1, 3]],
  ['dearer: 4', [1, 2, 3, 4]],
  ['dearer: 5', []],
  ['prices: [5, 6]', [1, 2, 3, 4]],
  ['matches: "^A"', [2]],
  ['like: "100!%%"', [3]],
  ['part: 40', [1]],
  ['since: "2026-01-02T04:04:05+01:00"', [1, 2, 3, 4]],
  ['since: "2026-01-03"', []],
  ['madeAt: ["2026-01-02T03:04:05Z"]', [1, 2, 3, 4]],
  ['kind: null, tags: null, undated: null', [1, 2, 3, 4]],
];

t.test('each operator finds its rows, and all of them share a statement', async (t) => {
  const fields = CASES.map(([args], i) => `p${i}: artworks(${args}, first: 10) { nodes { id } totalCount }`);
  const { data, errors, statements } = await ask(`{ ${fields.join('\n')} }`);
  t.same(errors, undefined);
  for (const [i, [args, ids]] of CASES.entries()) {
    t.same(idsOf(data?.[`p${i}`]), ids, args);
    t.equal(data?.[`p${i}`]?.totalCount, ids.length, `${args}: the count`);
  }
  t.equal(statements, 1);
});

t.test('what no row can have is an error of its own field, and of no other', async (t) => {
  for (const [args, argument] of [
    ['kind: "poem"', 'kind'],
    ['title: "\\u0000"', 'title'],
    ['tags: ["\\u0000"]', 'tags'],
    ['since: "soon"', 'since'],
    ['madeAt: ["2026-01-02", "soon"]', 'madeAt'],
    ['higher: "much"', 'filters'],
    ['dries: "when it is dry"', 'filters'],
    ['dries: "99999999999999 years"', 'filters'],
    ['kinds: ["poem"]', 'filters'],
    ['dearer: 0', 'filters'],
    ['prices: [5, 0]', 'filters'],
    ['matches: "("', 'filters'],
    ['like: "100!"', 'filters'],
    ['part: 0', 'filters'],
    [`words: "${'b '.repeat(20_000)}"`, 'filters'],
    [`about: "${'-'.repeat(40)}b"`, 'filters'],
  ] as const) {
    const { data, errors } = await ask(
      `{ bad: artworks(${args}) { nodes { id } } good: artworks(odd: 0) { nodes { id } } }`,
    );
    t.match(errors, [{ path: ['bad'], extensions: { code: 'BAD_USER_INPUT', argument } }], args.slice(0, 50));
    t.equal(errors?.length, 1);
    t.same(idsOf(data?.good), [2, 4]);
    t.equal(data?.bad, null);
  }
});

t.test('a cursor of a type that Postgres alone can read is an error when it is none', async (t) => {
  const first = await ask('{ artworks(orderBy: DRYING, first: 2) { nodes { id } pageInfo { endCursor } } }');
  t.same(idsOf(first.data?.artworks), [3, 1]);
  const cursor = first.data?.artworks?.pageInfo?.endCursor ?? '';
  const rest = (after: string) => `artworks(orderBy: DRYING, after: "${after}") { nodes { id } }`;
  const forged = (order: string, key: string) =>
    Buffer.from(JSON.stringify(['Artwork.all', order, key, '1'])).toString('base64');
  const { data, errors } = await ask(`{ good: ${rest(cursor)} bad: ${rest(forged('DRYING', 'soon'))} }`);
  t.same(idsOf(data?.good), [2, 4]);
  t.match(errors, [{ path: ['bad'], extensions: { code: 'BAD_USER_INPUT', argument: 'after' } }]);
  const free = await ask(`{ artworks(orderBy: PRICE, after: "${forged('PRICE', '0')}") { nodes { id } } }`);
  t.match(free.errors, [{ extensions: { code: 'BAD_USER_INPUT', argument: 'after' } }]);
  t.notMatch(errors?.[0]?.message, /soon|interval/, 'and does not show what came');
});
