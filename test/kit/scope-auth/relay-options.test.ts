import { graphql } from 'graphql';
import { t } from 'tap';
import { encodeGlobalId } from '../../../src/pothos/index.ts';
import { openLibrary } from '../../support/open-library.ts';
import { type Asking, makeBuilder, SAID, served } from './served.ts';

const larder = await openLibrary(t, { libraries: 2, shelves: 2, books: 1, perShelf: 1 });

type Relay = NonNullable<Parameters<typeof makeBuilder>[1]>;

/** Libraries that nobody guards but the options of the Relay plugin. */
function librarySchema(relay: Relay) {
  const builder = makeBuilder({}, relay);
  builder.entity('Library', { fields: (t) => ({ name: t.exposeString('name') }) });
  builder.queryType({
    fields: (t) => ({ libraries: t.entityConnection('Library'), library: t.entityById('Library') }),
  });
  return builder.toSchema();
}

const authScopes = { staff: true };
const LIBRARY = encodeGlobalId('Library', '1');

/** Where the Relay plugin takes scopes, which selections of a page they guard, and which they do not. */
const GUARDED: readonly (readonly [
  where: string,
  relay: Relay,
  guarded: readonly string[],
  open: readonly string[],
])[] = [
  ['each page', { defaultConnectionTypeOptions: { authScopes } }, SAID, []],
  ['each list', { defaultConnectionFieldOptions: { authScopes } }, SAID, []],
  [
    'each edge',
    { defaultEdgeTypeOptions: { authScopes } },
    ['edges { cursor }', 'edges { node { name } }'],
    ['nodes { name }', 'totalCount'],
  ],
  ['edges', { edgesFieldOptions: { authScopes } }, ['edges { __typename }', 'edges { cursor }'], ['nodes { name }']],
  ['node of an edge', { nodeFieldOptions: { authScopes } }, ['edges { node { id } }'], ['edges { cursor }']],
  ['cursor', { cursorFieldOptions: { authScopes } }, ['edges { cursor }'], ['edges { node { name } }']],
  ['nodes', { nodesOnConnection: { authScopes } }, ['nodes { name }'], ['edges { cursor }']],
  ['pageInfo', { pageInfoFieldOptions: { authScopes } }, ['pageInfo { endCursor }'], ['nodes { name }']],
  ['each pageInfo', { pageInfoTypeOptions: { authScopes } }, ['pageInfo { hasNextPage }'], ['nodes { name }']],
  ['each id', { idFieldOptions: { authScopes } }, ['nodes { id }', 'edges { node { id } }'], ['nodes { name }']],
  ['each node', { nodeTypeOptions: { authScopes } }, [...SAID, 'nodes { name }'], []],
];

for (const [where, relay, guarded, open] of GUARDED) {
  t.test(`scopes in the options of the Relay plugin guard ${where}`, async (t) => {
    const ask = await served(t, larder, librarySchema(relay));
    for (const said of guarded) {
      const { data, errors } = await ask(`{ libraries { ${said} } }`);
      t.same(data, { libraries: null }, said);
      t.not(errors.length, 0, said);
      t.same((await ask(`{ libraries { ${said} } }`, true)).errors, [], said);
    }
    for (const said of open) t.same((await ask(`{ libraries { ${said} } }`)).errors, [], said);
  });
}

t.test('and node and nodes', async (t) => {
  const options = { authScopes };
  const ask = await served(t, larder, librarySchema({ nodeQueryOptions: options, nodesQueryOptions: options }));
  const source = `{ node(id: "${LIBRARY}") { id } nodes(ids: ["${LIBRARY}"]) { id } }`;
  t.same((await ask(source)).data, { node: null, nodes: null });
  t.same((await ask(source, true)).data, { node: { id: LIBRARY }, nodes: [{ id: LIBRARY }] });
  t.same((await ask(`{ library(id: "${LIBRARY}") { name } }`)).data, { library: { name: 'Library 1' } });
});

t.test('a map of scopes looks at nothing, so that no body is read for it', async (t) => {
  const options = { authScopes };
  const schema = librarySchema({
    ...{ defaultConnectionTypeOptions: options, defaultEdgeTypeOptions: options, pageInfoTypeOptions: options },
    ...{ nodeTypeOptions: options, edgesFieldOptions: options, nodesOnConnection: options, idFieldOptions: options },
  });
  for (const said of SAID) {
    const contextValue = Object.assign(larder.createContext(), { staff: true, admin: false });
    const { errors } = await graphql({ schema, source: `{ libraries { ${said} } }`, contextValue });
    t.same(errors, undefined);
    t.same(contextValue.scope.trace.cache, {}, `${said}: the list alone`);
  }
});

t.test('a function of all pages that gives nothing lets nobody see them', async (t) => {
  const nothing = (() => undefined) as never;
  for (const own of [undefined, authScopes]) {
    const builder = makeBuilder({}, { defaultConnectionTypeOptions: { authScopes: nothing } });
    builder.entity('Library', {
      ...(own === undefined ? {} : { authScopes: own }),
      fields: (t) => ({ name: t.exposeString('name') }),
    });
    builder.queryType({ fields: (t) => ({ libraries: t.entityConnection('Library') }) });
    const ask = await served(t, larder, builder.toSchema());
    t.same((await ask('{ libraries { totalCount } }', true)).data, { libraries: null });
  }
});

for (const defaultStrategy of ['any', 'all'] as const) {
  for (const [how, pages] of [
    ['', { admin: true }],
    [', also by a function', async () => ({ admin: true })],
  ] as const) {
    t.test(`an entity's own come beside those of all pages${how}, by the strategy ${defaultStrategy}`, async (t) => {
      const builder = makeBuilder({ defaultStrategy }, { defaultConnectionTypeOptions: { authScopes: pages } });
      builder.entity('Library', { authScopes, fields: (t) => ({ name: t.exposeString('name') }) });
      builder.queryType({ fields: (t) => ({ libraries: t.entityConnection('Library') }) });
      const ask = await served(t, larder, builder.toSchema());
      for (const said of ['totalCount', 'nodes { name }', 'pageInfo { endCursor }']) {
        t.same((await ask(`{ libraries { ${said} } }`, true)).data, { libraries: null }, said);
        t.same((await ask(`{ libraries { ${said} } }`, false, true)).data, { libraries: null }, said);
        t.same((await ask(`{ libraries { ${said} } }`, true, true)).errors, [], said);
      }
    });
  }
}

// Scopes of one list, as a map and as a function of all that scope-auth gives to a field's.
const ADMIN = { admin: true };
const byArguments = async (_root: unknown, { first }: { readonly first?: unknown }, context: Asking, info: object) =>
  first === 2 && 'fieldName' in info && context.admin;

for (const defaultStrategy of ['any', 'all'] as const) {
  for (const [how, ofLists] of [
    ['', authScopes],
    [' by a function', async (_root: unknown, _args: object, { staff }: Asking) => ({ staff })],
  ] as const) {
    t.test(`those of a list come beside those of all lists${how}, by the strategy ${defaultStrategy}`, async (t) => {
      const builder = makeBuilder({ defaultStrategy }, {
        defaultConnectionFieldOptions: { authScopes: ofLists },
      } as Relay);
      builder.entity('Library', { fields: (t) => ({ name: t.exposeString('name') }) });
      builder.queryType({
        fields: (t) => ({
          own: t.entityConnection('Library', { authScopes: ADMIN }),
          ownFunction: t.entityConnection('Library', { authScopes: byArguments }),
          withAuth: t.withAuth(ADMIN).entityConnection('Library'),
          withFunction: t.withAuth(byArguments).entityConnection('Library'),
        }),
      });
      const ask = await served(t, larder, builder.toSchema());
      for (const list of ['own', 'ownFunction', 'withAuth', 'withFunction']) {
        const source = `{ ${list}(first: 2) { totalCount } }`;
        for (const asking of [
          [false, false],
          [true, false],
          [false, true],
        ]) {
          t.same((await ask(source, ...asking)).data, { [list]: null }, `${list}, ${asking}`);
        }
        t.same((await ask(source, true, true)).data, { [list]: { totalCount: 2 } }, list);
      }
      t.same((await ask('{ withFunction(first: 1) { totalCount } }', true, true)).data, { withFunction: null });
    });
  }
}

t.test('a function of a page gets all of it but the count', async (t) => {
  const ask = await served(
    t,
    larder,
    librarySchema({
      defaultConnectionTypeOptions: { authScopes: async ({ pageInfo }) => !(await pageInfo).hasNextPage },
      cursorFieldOptions: { authScopes: (edge) => (edge as { node: { name: string } }).node.name === 'Library 2' },
    }),
  );
  t.same((await ask('{ libraries(first: 1) { totalCount } }')).data, { libraries: null });
  t.same((await ask('{ libraries(first: 2) { totalCount } }')).data, { libraries: { totalCount: 2 } });
  t.same((await ask('{ libraries { edges { cursor } } }')).data, { libraries: null });
  t.same((await ask('{ libraries(last: 1) { edges { cursor } } }')).errors, []);
});

/** Nodes that are hidden by what they say. */
const nodeTypeOptions: Relay['nodeTypeOptions'] = {
  authScopes: (node) => (node as { readonly name?: string }).name !== 'Library 1',
};

t.test('a function of a node is asked about entities that were read', async (t) => {
  const builder = makeBuilder({}, { nodeTypeOptions });
  builder.entity('Library', { fields: (t) => ({ name: t.exposeString('name') }) });
  builder.entity('Library', {
    name: 'Open',
    skipInterfaceScopes: true,
    fields: (t) => ({ name: t.exposeString('name') }),
  });
  builder.queryType({
    fields: (t) => ({
      libraries: t.entityConnection('Library', { authScopes }),
      open: t.entityConnection('Library', { type: 'Open' }),
    }),
  });
  const ask = await served(t, larder, builder.toSchema());
  t.same((await ask('{ libraries { nodes { id } } }', true)).data, { libraries: null });
  t.same((await ask('{ libraries(last: 1) { nodes { name } } }', true)).data, {
    libraries: { nodes: [{ name: 'Library 2' }] },
  });
  t.same((await ask('{ open { totalCount nodes { name } } }')).data, {
    open: { totalCount: 2, nodes: [{ name: 'Library 1' }, { name: 'Library 2' }] },
  });
});

t.test('then a list must have scopes of its own', async (t) => {
  t.throws(() => librarySchema({ nodeTypeOptions }), {
    name: 'TypeError',
    message:
      /^Query\.libraries: expected authScopes for a list of Library, .* See docs\/your-tables\.md#permissions\.$/,
  });
});
