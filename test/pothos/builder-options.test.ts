import SchemaBuilder, { type SchemaTypes } from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { graphql, printType } from 'graphql';
import { t } from 'tap';
import LarderPlugin, { encodeGlobalId, type LarderContext } from '../../src/pothos/index.ts';
import type { Repositories } from '../support/library.ts';
import { openLibrary } from '../support/open-library.ts';

const plugins = [DataloaderPlugin, RelayPlugin, LarderPlugin] as ('larder' | 'relay' | 'dataloader')[];

const larder = await openLibrary(t, { libraries: 1, shelves: 2, books: 1, perShelf: 1 });

t.test('a page needs no argument where arguments are required by default', async (t) => {
  const builder = new SchemaBuilder<{ Context: LarderContext<Repositories>; DefaultInputFieldRequiredness: true }>({
    plugins,
    defaultInputFieldRequiredness: true,
  });
  builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
  builder.queryType({ fields: (t) => ({ shelves: t.entityConnection('Shelf') }) });
  const schema = builder.toSchema();
  const { data, errors } = await graphql({
    schema,
    source: '{ shelves { nodes { title } } last: shelves(last: 1) { nodes { title } } }',
    contextValue: larder.createContext(),
  });
  t.same(errors, undefined);
  t.match(data, {
    shelves: { nodes: [{ title: 'Shelf 1' }, { title: 'Shelf 2' }] },
    last: { nodes: [{ title: 'Shelf 2' }] },
  });
});

t.test('a plugin that is imported and not used is named', async (t) => {
  for (const [left, from] of [
    ['relay', '@pothos/plugin-relay'],
    ['dataloader', '@pothos/plugin-dataloader'],
    ['larder', 'larder/pothos'],
  ] as const) {
    const others = plugins.filter((name) => name !== left);
    const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>({ plugins: others });
    t.throws(() => builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) }), {
      name: 'TypeError',
      message: `new SchemaBuilder: expected plugins with the default export of ${from}, got ${others.join(', ')}. See docs/your-tables.md#two-entities.`,
    });
  }
  const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>({});
  builder.queryType({ fields: (t) => ({ shelf: t.entityById('Shelf') }) });
  t.throws(() => builder.toSchema(), { name: 'TypeError', message: /larder\/pothos, got none\./ });
});

t.test('the options of a builder stay as they were given', (t) => {
  const options = { plugins, relay: { nodeQueryOptions: { description: 'Any.' } } };
  for (const _each of [1, 2]) {
    const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>(options);
    builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
    builder.queryType({});
    t.equal(builder.toSchema().getQueryType()?.getFields().node?.description, 'Any.');
  }
  t.end();
});

/** Nodes of one's own, declared before the entity beside them. */
function ownNodes(relay: NonNullable<PothosSchemaTypes.SchemaBuilderOptions<SchemaTypes>['relay']>) {
  const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>({ plugins, relay: relay as never });
  class Viewer {
    constructor(readonly key: number) {}
  }
  builder.node(Viewer, {
    name: 'Viewer',
    id: { resolve: ({ key }) => key, parse: Number },
    loadOne: (key) => new Viewer(key),
    fields: (t) => ({ next: t.int({ resolve: ({ key }) => key + 1 }) }),
  });
  builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
  builder.queryType({
    fields: (t) => ({
      shelves: t.entityConnection('Shelf'),
      viewer: t.field({ type: Viewer, resolve: () => new Viewer(5) }),
    }),
  });
  const schema = builder.toSchema();
  return async (source: string) => {
    const { data, errors } = await graphql({ schema, source, contextValue: larder.createContext() });
    t.same(errors, undefined, source);
    return JSON.parse(JSON.stringify(data));
  };
}

const QUERY = (viewer: string) =>
  `{ node(id: "${viewer}") { id ... on Viewer { next } }
     nodes(ids: ["${encodeGlobalId('Shelf', '2')}", "${viewer}", "nothing"]) { ... on Shelf { title } ... on Viewer { next } } }`;

t.test("nodes of one's own may be declared first, and have ids of their own form", async (t) => {
  const id = encodeGlobalId('Viewer', '5');
  const ask = ownNodes({});
  t.match(await ask('{ viewer { id } }'), { viewer: { id } });
  t.same(await ask(QUERY(id)), { node: { id, next: 6 }, nodes: [{ title: 'Shelf 2' }, { next: 6 }, null] });
});

t.test("global ids of one's own are read as they are written", async (t) => {
  const ask = ownNodes({
    encodeGlobalID: (typename, id) => `${typename}/${id}`,
    decodeGlobalID: (globalId) => {
      const [typename = '', id, ...rest] = globalId.split('/');
      if (id === undefined || rest.length > 0) throw new TypeError(`Expected a global id, got ${globalId}.`);
      return { typename, id };
    },
  });
  t.match(await ask('{ viewer { id } }'), { viewer: { id: 'Viewer/5' } });
  t.same(await ask(QUERY('Viewer/5')), {
    node: { id: 'Viewer/5', next: 6 },
    nodes: [{ title: 'Shelf 2' }, { next: 6 }, null],
  });
});

t.test('cursors have one type, whether they are given or asked for', async (t) => {
  for (const cursorType of ['ID', 'String'] as const) {
    const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>({ plugins, relay: { cursorType } });
    builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
    builder.queryType({ fields: (t) => ({ shelves: t.entityConnection('Shelf') }) });
    const schema = builder.toSchema();
    const types = ['Query', 'ShelfEdge', 'PageInfo'].map((name) => printType(schema.getType(name) as never)).join('\n');
    const cursors = [...types.matchAll(/(?:after|before|cursor|startCursor|endCursor): (\w+)/g)];
    t.same(
      cursors.map(([, type]) => type),
      Array(5).fill(cursorType),
    );
    const ask = async (after: string) => {
      const source = `{ shelves(first: 1${after}) { edges { cursor node { title } } } }`;
      const { data } = await graphql({ schema, source, contextValue: larder.createContext() });
      return JSON.parse(JSON.stringify(data)).shelves.edges[0];
    };
    const { cursor } = await ask('');
    t.match(await ask(`, after: "${cursor}"`), { node: { title: 'Shelf 2' } });
  }
});
