import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { bigint, pgTable } from 'drizzle-orm/pg-core';
import { fastify } from 'fastify';
import { type GraphQLSchema, graphql } from 'graphql';
import { t } from 'tap';
import { larderFastify } from '../../src/http/index.ts';
import { createLarder } from '../../src/larder.ts';
import LarderPlugin, { checkSchema, type LarderContext } from '../../src/pothos/index.ts';
import { entity } from '../../src/repository/entity.ts';
import { entities, libraries, type Repositories } from '../support/library.ts';
import { librarySchema } from '../support/library-schema.ts';

const makeBuilder = () =>
  new SchemaBuilder<{ Context: LarderContext<Repositories> }>({
    plugins: [RelayPlugin, DataloaderPlugin, LarderPlugin],
  });
type Builder = ReturnType<typeof makeBuilder>;

/** A schema of shelves, as somebody may write it whom no compiler tells. */
function schemaWith(
  query: (t: Parameters<Parameters<Builder['queryFields']>[0]>[0]) => unknown,
  more: (builder: Builder) => unknown = () => {},
): GraphQLSchema {
  const builder = makeBuilder();
  more(builder);
  builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
  builder.entity('Library', { fields: (t) => ({ shelves: t.entityConnection('Shelf', { list: 'inLibrary' }) }) });
  builder.queryType({});
  builder.queryFields(query as Parameters<Builder['queryFields']>[0]);
  return builder.toSchema();
}

const WRONG: Readonly<Record<string, [says: string, schema: () => GraphQLSchema]>> = {
  'a list that is not there': [
    'Query.shelves: expected a list of Shelf (all, inLibrary, withBook), got byTitle.',
    () => schemaWith((t) => ({ shelves: t.entityConnection('Shelf', { list: 'byTitle' as 'all' }) })),
  ],
  'an order that is not there': [
    'Query.shelves: expected an order of Shelf.all (ID), got TITLE.',
    () => schemaWith((t) => ({ shelves: t.entityConnection('Shelf', { order: 'TITLE' as 'ID' }) })),
  ],
  'a list with a parent where there is none': [
    "Query.shelves: expected a field of an entity's type, since Shelf.inLibrary has a parent, or a source that says which, got one of Query.",
    () => schemaWith((t) => ({ shelves: t.entityConnection('Shelf', { list: 'inLibrary' }) })),
  ],
  'a list of the parents of another entity': [
    'Book.shelves: expected a field of Library, to which the parent of Shelf.inLibrary refers, or a source that says which, got one of Book.',
    () =>
      schemaWith(
        (t) => ({ book: t.entityById('Book') }),
        (builder) =>
          builder.entity('Book', { fields: (t) => ({ shelves: t.entityConnection('Shelf', { list: 'inLibrary' }) }) }),
      ),
  ],
  'a column that nothing is found by': [
    'Query.shelf: expected a column that Shelf is found by (it has none), got title.',
    () => schemaWith((t) => ({ shelf: t.entityBy('Shelf', 'title' as never) })),
  ],
  'an entity that is not there': [
    'Library.shelves: expected an entity of the Larder (Library, Book), got Shelf.',
    () => schemaWith((t) => ({ shelf: t.entityById('Shelf') })),
  ],
};

const url = 'postgres://127.0.0.1:1/nowhere';

for (const [what, [says, schema]] of Object.entries(WRONG)) {
  t.test(`${what} is said before anything is served`, async (t) => {
    const { Shelf, ...others } = entities;
    const served = /entity/.test(what) && !/list/.test(what) ? others : entities;
    await using larder = await createLarder({ entities: served, postgres: { url } });
    const built = schema();
    const expected = {
      name: 'TypeError',
      message: new RegExp(`^${says.replace(/[.()]/g, '\\$&')} See docs/your-tables.md#`),
    };
    t.throws(() => checkSchema(built, larder.repositories), expected);
    const app = fastify();
    t.teardown(() => app.close());
    await t.rejects(async () => app.register(larderFastify, { larder, schema: built }), expected);
  });
}

t.test('what fits is let pass', async (t) => {
  await using larder = await createLarder({ entities, postgres: { url } });
  t.doesNotThrow(() => checkSchema(librarySchema(), larder.repositories));
  const source = schemaWith((t) => ({
    shelves: t.entityConnection('Shelf', { source: () => ({ list: 'inLibrary', parent: null, order: 'ID' }) }),
  }));
  t.doesNotThrow(() => checkSchema(source, larder.repositories), 'a function says which parent');
  const second = schemaWith(
    (t) => ({ seller: t.entityById('Library', { type: 'Seller' }) }),
    (builder) =>
      builder.entity('Library', {
        name: 'Seller',
        fields: (t) => ({ shelves: t.entityConnection('Shelf', { list: 'inLibrary' }) }),
      }),
  );
  t.doesNotThrow(() => checkSchema(second, larder.repositories), 'a second type shows the same parents');
  const profile = pgTable('profiles', {
    id: bigint('id', { mode: 'bigint' })
      .primaryKey()
      .references(() => libraries.id),
  });
  const shown = pgTable('shown_libraries', { id: bigint('id', { mode: 'bigint' }).primaryKey() });
  const alike = { Profile: entity(profile, {}), Shown: entity(shown, { unwatched: true }) };
  await using more = await createLarder({ entities: { ...entities, ...alike }, postgres: { url } });
  for (const name of ['Profile', 'Shown'] as const) {
    const sharing = schemaWith(
      (t) => ({ other: t.entityById(name as 'Book') }),
      (builder) =>
        builder.entity(name as 'Book', {
          fields: (t) => ({ shelves: t.entityConnection('Shelf', { list: 'inLibrary' }) }),
        }),
    );
    t.doesNotThrow(() => checkSchema(sharing, more.repositories), `${name} has the keys of libraries`);
  }
  const { Library, ...others } = larder.repositories;
  const noLibrary = makeBuilder();
  noLibrary.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
  noLibrary.entity('Book', { fields: (t) => ({ shelves: t.entityConnection('Shelf', { list: 'inLibrary' }) }) });
  noLibrary.queryType({ fields: (t) => ({ book: t.entityById('Book') }) });
  t.doesNotThrow(() => checkSchema(noLibrary.toSchema(), others), 'nobody knows whose rows an entity over a view has');
});

t.test('a list without its parent is an error where nobody has checked', async (t) => {
  await using larder = await createLarder({ entities, postgres: { url } });
  const schema = schemaWith((t) => ({ shelves: t.entityConnection('Shelf', { list: 'inLibrary' }) }));
  const { errors = [] } = await graphql({
    schema,
    source: '{ shelves { totalCount } }',
    contextValue: larder.createContext(),
  });
  t.match(errors, [{ message: /^Shelf\.inLibrary: expected the parent to be an entity/ }]);
});
