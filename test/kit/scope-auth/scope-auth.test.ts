import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import Fastify from 'fastify';
import { graphql } from 'graphql';
import { t } from 'tap';
import larderFastify from '../../../src/http/index.ts';
import { createLarder } from '../../../src/index.ts';
import LarderPlugin, { encodeGlobalId, type LarderContext } from '../../../src/pothos/index.ts';
import { entities, makeLibrary, type Repositories } from '../../support/library.ts';
import { freshDatabase } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';

// A program of its own for the compiler (tsconfig.json): the plugin's types ask each builder of a program for its options.
type Context = LarderContext<Repositories> & { readonly staff: boolean };

const makeBuilder = (runScopesOnType = false) =>
  new SchemaBuilder<{ Context: Context; AuthScopes: { staff: boolean } }>({
    plugins: [ScopeAuthPlugin, RelayPlugin, DataloaderPlugin, LarderPlugin],
    scopeAuth: { authScopes: ({ staff }) => ({ staff }), runScopesOnType },
  });

function guardedSchema(runScopesOnType: boolean) {
  const builder = makeBuilder(runScopesOnType);
  builder.entity('Library', {
    fields: (t) => ({
      name: t.exposeString('name', { nullable: true, authScopes: { staff: true } }),
      shelves: t.entityConnection('Shelf', { list: 'inLibrary' }),
      later: t.entityConnection('Shelf', { list: 'inLibrary', authScopes: ({ name }) => name !== 'Library 1' }),
      same: t.withAuth(({ name }) => name !== 'Library 1').entityConnection('Shelf', { list: 'inLibrary' }),
    }),
  });
  builder.entity('Shelf', {
    authScopes: { staff: true },
    fields: (t) => ({ title: t.exposeString('title'), library: t.entityReference('Library', { id: 'libraryId' }) }),
  });
  // Of these, each is hidden or not by what it says.
  builder.entity('Shelf', {
    name: 'Case',
    authScopes: ({ title }) => title !== 'Shelf 1',
    fields: (t) => ({ title: t.exposeString('title') }),
  });
  builder.queryType({
    fields: (t) => ({
      libraries: t.entityConnection('Library'),
      shelf: t.entityById('Shelf'),
      case: t.entityById('Shelf', { type: 'Case' }),
      cases: t.entityConnection('Shelf', { type: 'Case', authScopes: { staff: true } }),
      guarded: t.entityConnection('Library', { authScopes: { staff: true } }),
    }),
  });
  return builder.toSchema();
}

/** What a page says of its entries, each way by which it says it. */
const SAID = [
  'totalCount',
  'nodes { id }',
  'nodes { __typename }',
  'edges { cursor }',
  'edges { __typename }',
  'edges { node { id } }',
  'pageInfo { startCursor }',
  'pageInfo { endCursor }',
  'pageInfo { hasNextPage }',
  'pageInfo { hasPreviousPage }',
];

// Where types have the scopes, they have an `isTypeOf`, too.
for (const [how, runScopesOnType] of [
  ['', false],
  [', where types have the scopes', true],
] as const) {
  t.test(`scope-auth hides fields and entities, and lists say nothing of them${how}`, async (t) => {
    const database = await freshDatabase(t);
    await makeLibrary(openSql(t, database), { libraries: 2, shelves: 4, books: 1, perShelf: 1 });
    const larder = await createLarder({ entities, postgres: { url: database.url } });
    t.teardown(larder.close);
    const schema = guardedSchema(runScopesOnType);
    const app = Fastify();
    t.teardown(() => app.close());
    await app.register(larderFastify, {
      larder,
      schema,
      context: ({ headers }) => ({ staff: headers['x-staff'] === 'true' }),
      limits: { maxEventLoopDelayMs: 0 },
    });
    /** Asks any GraphQL server, and Larder's often enough to execute it in each of its ways: the staff and others in turn. */
    const ask = async (source: string, staff = false) => {
      const answer = async (staff: boolean) => {
        const contextValue = Object.assign(larder.createContext(), { staff });
        const { data, errors = [] } = await graphql({ schema, source, contextValue });
        return { data: JSON.parse(JSON.stringify(data)), errors };
      };
      const asked = [staff, !staff];
      const [expected, others] = await Promise.all([answer(staff), answer(!staff)]);
      for (let i = 0; i < 6; i += 1) {
        for (const [j, each] of [expected, others].entries()) {
          const headers = { 'x-staff': String(asked[j]) };
          const response = await app.inject({ method: 'POST', url: '/graphql', headers, payload: { query: source } });
          const { data, errors = [] } = response.json();
          t.same(data, each.data, source);
          // Two errors may make the same object null. Not every executor tells both.
          t.equal(errors.length > 0, each.errors.length > 0, source);
        }
      }
      return expected;
    };

    await t.test('a field', async (t) => {
      const { data, errors } = await ask('{ libraries { nodes { name } } }');
      t.same(data, { libraries: { nodes: [{ name: null }, { name: null }] } });
      t.equal(errors.length, 2);
      const seen = await ask('{ libraries { nodes { name shelves { totalCount nodes { title } } } } }', true);
      t.match(seen.data, {
        libraries: { nodes: [{ name: 'Library 1', shelves: { totalCount: 2, nodes: [{}, {}] } }, {}] },
      });
    });

    await t.test('an entity, in each list and by each of its ids', async (t) => {
      for (const of of SAID) {
        const { data, errors } = await ask(`{ libraries { nodes { shelves { ${of} } } } }`);
        t.same(data, { libraries: { nodes: [{ shelves: null }, { shelves: null }] } }, of);
        t.equal(errors.length, 2);
      }
      const both = await ask('{ libraries { nodes { shelves(first: 1) { totalCount } } } guarded { totalCount } }');
      t.same(both.data.guarded, null);
      for (const of of SAID) t.same((await ask(`{ guarded { ${of} } }`)).data, { guarded: null }, of);
      const hidden = encodeGlobalId('Shelf', '1');
      t.same((await ask(`{ shelf(id: "${hidden}") { id } }`)).data, { shelf: null });
      t.same((await ask(`{ node(id: "${hidden}") { id } nodes(ids: ["${hidden}"]) { id } }`)).data, {
        node: null,
        nodes: [null],
      });
    });

    await t.test('by what an entity says, also when the id alone is asked for', async (t) => {
      for (const field of ['later', 'same']) {
        t.same((await ask(`{ libraries { nodes { ${field} { totalCount } } } }`, true)).data, {
          libraries: { nodes: [{ [field]: null }, { [field]: { totalCount: 2 } }] },
        });
      }
      const [hidden, seen] = [encodeGlobalId('Case', '1'), encodeGlobalId('Case', '2')];
      t.same((await ask(`{ case(id: "${hidden}") { id } }`)).data, { case: null });
      t.same((await ask(`{ case(id: "${seen}") { title } }`)).data, { case: { title: 'Shelf 2' } });
      for (const of of SAID) t.same((await ask(`{ cases { ${of} } }`)).data, { cases: null }, of);
      t.same(
        (await ask('{ cases { totalCount nodes { id } } }', true)).data,
        { cases: null },
        'nor a page with one of them',
      );
      t.same((await ask('{ cases(last: 1) { nodes { title } } }', true)).data, {
        cases: { nodes: [{ title: 'Shelf 4' }] },
      });
    });
  });
}

t.test('a list that anybody may count has no entities that are hidden one by one', async (t) => {
  const builder = makeBuilder();
  builder.entity('Shelf', {
    authScopes: ({ title }) => title !== 'Shelf 1',
    fields: (t) => ({ title: t.exposeString('title') }),
  });
  builder.queryType({ fields: (t) => ({ shelves: t.entityConnection('Shelf') }) });
  t.throws(() => builder.toSchema(), {
    name: 'TypeError',
    message:
      "Query.shelves: expected authScopes for a list of Shelf, since its own are a function of the entity, which the list's count and cursors " +
      'would tell of, got none. See docs/your-tables.md#permissions.',
  });
});
