import { t } from 'tap';
import { createLarder } from '../../../src/index.ts';
import { encodeGlobalId } from '../../../src/pothos/index.ts';
import { entities, makeLibrary } from '../../support/library.ts';
import { freshDatabase } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';
import { makeBuilder, SAID, served } from './served.ts';

// A program of its own for the compiler (tsconfig.json): the plugin's types ask each builder of a program for its options.

function guardedSchema(runScopesOnType: boolean) {
  const builder = makeBuilder({ runScopesOnType });
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
    const ask = await served(t, larder, guardedSchema(runScopesOnType));

    await t.test('a field', async (t) => {
      const { data, errors, codes } = await ask('{ libraries { nodes { name } } }');
      t.same(data, { libraries: { nodes: [{ name: null }, { name: null }] } });
      t.equal(errors.length, 2);
      t.same(codes, new Set(['FORBIDDEN']));
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
