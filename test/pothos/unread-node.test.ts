import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { graphql } from 'graphql';
import { t } from 'tap';
import LarderPlugin, { type LarderContext } from '../../src/pothos/index.ts';
import { serveSchema } from '../http/graphql/support/serve-schema.ts';
import type { Repositories } from '../support/library.ts';
import { openLibrary } from '../support/open-library.ts';

// The first three times graphql-js executes a document, and from the fourth on the executor that writes text.
const TIMES = 5;

const larder = await openLibrary(t, { libraries: 2, shelves: 4, books: 1, perShelf: 1 });

const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>({
  plugins: [DataloaderPlugin, RelayPlugin, LarderPlugin],
});
let calls = 0;
/** Shelves of a library that a function found. */
const shelvesOf = (parent: string) => ({ list: 'inLibrary', parent, order: 'ID' }) as const;
builder.entity('Library', {
  fields: (t) => ({
    name: t.exposeString('name'),
    own: t.entityConnection('Shelf', {
      source: ({ databaseId }) => {
        calls += 1;
        return shelvesOf(databaseId);
      },
    }),
    // The second library's name leads to the first.
    other: t.entityConnection('Shelf', { source: ({ name }) => shelvesOf(name === 'Library 2' ? '1' : '2') }),
  }),
});
builder.entity('Shelf', {
  fields: (t) => ({
    title: t.exposeString('title'),
    library: t.entityReference('Library', { id: 'libraryId' }),
    beside: t.entityConnection('Shelf', { source: (shelf) => shelvesOf(shelf.libraryId) }),
    caught: t.entityConnection('Shelf', {
      source: (shelf) => {
        try {
          return shelvesOf(`${shelf.title.length}`.length === 1 ? shelf.libraryId : '0');
        } catch {
          return shelvesOf('0');
        }
      },
    }),
    copied: t.entityConnection('Shelf', { source: (shelf) => shelvesOf({ ...shelf }.libraryId) }),
    sought: t.entityConnection('Shelf', { source: (shelf) => shelvesOf('libraryId' in shelf ? shelf.libraryId : '0') }),
    fails: t.entityConnection('Shelf', {
      source: () => {
        throw new RangeError('broken');
      },
    }),
  }),
});
builder.queryType({
  fields: (t) => ({ libraries: t.entityConnection('Library'), shelves: t.entityConnection('Shelf') }),
});
const schema = builder.toSchema();

const page = (...shelves: number[]) => ({ nodes: shelves.map((shelf) => ({ title: `Shelf ${shelf}` })) });

t.test('a source that looks at a column gets it, however it looks', async (t) => {
  const ask = await serveSchema(t, larder, schema);
  for (const field of ['beside', 'caught', 'copied', 'sought']) {
    const query = `{ shelves(first: 2) { nodes { ${field}(first: 2) { nodes { title } } } } }`;
    for (let i = 1; i <= TIMES; i += 1) {
      t.same(
        (await ask(query)).json().data,
        { shelves: { nodes: [{ [field]: page(1, 3) }, { [field]: page(2, 4) }] } },
        `${field}, ${i}`,
      );
    }
  }
});

t.test('so does one below a reference', async (t) => {
  const ask = await serveSchema(t, larder, schema);
  const query = '{ shelves(first: 2) { nodes { library { other { nodes { title } } } } } }';
  for (let i = 1; i <= TIMES; i += 1) {
    t.same(
      (await ask(query)).json().data,
      { shelves: { nodes: [{ library: { other: page(2, 4) } }, { library: { other: page(1, 3) } }] } },
      `${i}`,
    );
  }
});

t.test('one that looks at the id alone has no entity read for it', async (t) => {
  calls = 0;
  const contextValue = larder.createContext();
  const source = '{ libraries { nodes { own { nodes { title } } } } }';
  const { data } = await graphql({ schema, source, contextValue });
  t.match(data, { libraries: { nodes: [{ own: page(2, 4) }, { own: page(1, 3) }] } });
  t.equal(calls, 2, 'once for each');
  t.equal(contextValue.scope.trace.sql.statements, 2, 'the two lists');
});

t.test('what a source throws itself is its error', async (t) => {
  const contextValue = larder.createContext();
  const source = '{ shelves(first: 1) { nodes { fails { totalCount } } } }';
  const { errors } = await graphql({ schema, source, contextValue });
  t.match(errors, [{ message: 'broken', path: ['shelves', 'nodes', 0, 'fails'] }]);
});
