import SchemaBuilder, { type SchemaTypes } from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { graphql } from 'graphql';
import { t } from 'tap';
import LarderPlugin, { encodeGlobalId, type LarderContext } from '../../src/pothos/index.ts';
import type { Repositories } from '../support/library.ts';
import { openLibrary } from '../support/open-library.ts';

const larder = await openLibrary(t, { libraries: 1, shelves: 2, books: 1, perShelf: 1 });

type Relay = NonNullable<PothosSchemaTypes.SchemaBuilderOptions<SchemaTypes>['relay']>;
type Context = LarderContext<Repositories>;

const makeBuilder = (relay: Relay = {}) =>
  new SchemaBuilder<{ Context: Context }>({
    plugins: [DataloaderPlugin, RelayPlugin, LarderPlugin],
    relay: relay as never,
  });

/** Asks a schema, and gives the answer with how many statements it took. */
async function answered(schema: ReturnType<ReturnType<typeof makeBuilder>['toSchema']>, source: string) {
  const contextValue = larder.createContext();
  const { data, errors = [] } = await graphql({ schema, source, contextValue });
  const { statements } = contextValue.scope.trace.sql;
  return { data: JSON.parse(JSON.stringify(data)), errors, statements };
}

const [first, second, gone] = ['1', '2', '99'].map((id) => encodeGlobalId('Shelf', id)) as [string, string, string];

t.test("the Relay plugin's t.node and t.nodeList load entities", async (t) => {
  const builder = makeBuilder();
  const Shelf = builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
  builder.queryType({
    fields: (t) => ({
      one: t.node({ id: () => first }),
      byType: t.node({ id: () => ({ type: Shelf.ref, id: 2 }) }),
      none: t.node({ id: () => gone }),
      several: t.nodeList({ ids: () => [second, gone, first, second] }),
    }),
  });
  const schema = builder.toSchema();
  const shelf = '{ id ... on Shelf { title } }';
  t.equal((await answered(schema, `{ several ${shelf} }`)).statements, 1, 'all at once');
  const { data, errors } = await answered(schema, `{ one ${shelf} byType ${shelf} none ${shelf} several ${shelf} }`);
  t.match(data, {
    one: { id: first, title: 'Shelf 1' },
    byType: { id: second, title: 'Shelf 2' },
    none: null,
    several: [{ title: 'Shelf 2' }, null, { title: 'Shelf 1' }, { title: 'Shelf 2' }],
  });
  t.same(errors, []);
});

t.test("nodes asks a loader of one's own once for all of its ids", async (t) => {
  const builder = makeBuilder();
  const asked: string[][] = [];
  const loadMany = (ids: readonly string[]) => {
    asked.push([...ids]);
    return ids.map((key) => (key === 'gone' ? null : { key }));
  };
  const id = { resolve: ({ key }: { readonly key: string }) => key };
  const own = (name: string) => builder.objectRef<{ readonly key: string }>(name);
  builder.node(own('Many'), { id, loadMany, fields: (t) => ({ key: t.exposeString('key') }) });
  builder.node(own('Uncached'), { id, loadManyWithoutCache: loadMany });
  builder.node(own('Broken'), { id, loadMany: () => Promise.reject(new RangeError('broken')) });
  builder.node(own('Single'), {
    id,
    loadOne: (key) => (key === 'bad' ? Promise.reject(new RangeError('bad')) : { key }),
  });
  builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
  builder.queryType({});
  const schema = builder.toSchema();
  const nodes = async (...ids: (readonly [string, string])[]) => {
    const list = ids.map(([type, id]) => `"${encodeGlobalId(type, id)}"`).join(', ');
    const { data, errors } = await answered(schema, `{ nodes(ids: [${list}]) { __typename id } }`);
    const found = data.nodes.map((node: { __typename: string } | null) => node?.__typename ?? null);
    return [found, errors.map(({ message, path }) => [message, path?.[1]])];
  };
  t.same(
    await nodes(['Many', 'a'], ['Shelf', '1'], ['Many', 'gone'], ['Uncached', 'c'], ['Many', 'b'], ['Uncached', 'd']),
    [['Many', 'Shelf', null, 'Uncached', 'Many', 'Uncached'], []],
  );
  t.same(asked, [
    ['a', 'gone', 'b'],
    ['c', 'd'],
  ]);
  t.same(
    await nodes(['Broken', '1'], ['Many', 'a'], ['Broken', '2'], ['Single', 'a'], ['Single', 'bad'], ['Nothing', '1']),
    [
      [null, 'Many', null, 'Single', null, null],
      [
        ['broken', 0],
        ['broken', 2],
        ['bad', 4],
      ],
    ],
    'what fails is no fault of the others',
  );
});

t.test('what fails for one of many nodes of a type is no fault of the others', async (t) => {
  const builder = makeBuilder();
  const id = { resolve: ({ key }: { readonly key: string }) => key };
  const own = (name: string) => builder.objectRef<{ readonly key: string }>(name);
  const fields = () => ({});
  const nodeOf = (key: string) => {
    if (key === 'bad') throw new RangeError(key);
    return { key };
  };
  builder.node(own('Promised'), { id, fields, loadMany: (ids) => ids.map(async (key) => nodeOf(key)) as never });
  // As of SQL with all ids in one array.
  builder.node(own('Together'), { id, fields, loadMany: async (ids) => ids.map(nodeOf) });
  builder.node(own('Uncached'), { id, fields, loadManyWithoutCache: async (ids) => ids.map(nodeOf) });
  builder.queryType({ fields: (t) => ({ shelves: t.entityConnection('Shelf') }) });
  builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
  const schema = builder.toSchema();
  for (const type of ['Promised', 'Together', 'Uncached']) {
    const ids = ['1', 'bad', '2', '1'].map((key) => encodeGlobalId(type, key));
    const { data, errors } = await answered(schema, `{ nodes(ids: ${JSON.stringify(ids)}) { __typename id } }`);
    const node = (i: number) => ({ __typename: type, id: ids[i] });
    t.same(data, { nodes: [node(0), null, node(2), node(0)] }, type);
    t.match(errors, [{ message: 'bad', path: ['nodes', 1] }]);
    t.equal(errors.length, 1);
  }
});

t.test("an entity's id has the name that the options of the Relay plugin give", async (t) => {
  const builder = makeBuilder({ idFieldName: 'nodeId' });
  builder.entity('Shelf', {
    fields: (t) => ({ title: t.exposeString('title'), id: t.exposeString('databaseId') }),
  });
  builder.queryType({ fields: (t) => ({ shelves: t.entityConnection('Shelf') }) });
  const schema = builder.toSchema();
  t.same(await answered(schema, '{ shelves(first: 1) { nodes { nodeId } } }'), {
    data: { shelves: { nodes: [{ nodeId: first }] } },
    errors: [],
    statements: 1,
  });
  const source = `{ node(id: "${second}") { nodeId ... on Shelf { id title } } nodes(ids: ["${first}"]) { nodeId } }`;
  const { data, errors } = await answered(schema, source);
  t.same(data, { node: { nodeId: second, id: '2', title: 'Shelf 2' }, nodes: [{ nodeId: first }] });
  t.same(errors, []);
});
