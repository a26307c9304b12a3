import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import { graphql } from 'graphql';
import { t } from 'tap';
import { createLarder, type LarderContext, type RepositoriesOf } from '../../src/index.ts';
import LarderPlugin, { encodeGlobalId } from '../../src/pothos/index.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { entities, fillLibrary } from './library.ts';

type Context = LarderContext<RepositoriesOf<typeof entities>> & { readonly staff: boolean };

function guardedSchema() {
  const builder = new SchemaBuilder<{ Context: Context; AuthScopes: { staff: boolean } }>({
    plugins: [ScopeAuthPlugin, RelayPlugin, DataloaderPlugin, LarderPlugin],
    scopeAuth: { authScopes: ({ staff }) => ({ staff }) },
  });
  builder.entity('Author', {
    fields: (t) => ({
      name: t.exposeString('name', { nullable: true, authScopes: { staff: true } }),
      books: t.entityConnection('Book', { list: 'byAuthor' }),
      later: t.entityConnection('Book', { list: 'byAuthor', authScopes: ({ name }) => name !== 'Author 1' }),
    }),
  });
  builder.entity('Book', {
    authScopes: { staff: true },
    fields: (t) => ({ title: t.exposeString('title') }),
  });
  builder.entity('Book', {
    name: 'Issue',
    authScopes: ({ title }) => title !== 'Book 0',
    fields: (t) => ({ title: t.exposeString('title') }),
  });
  builder.queryType({
    fields: (t) => ({
      authors: t.entityConnection('Author'),
      book: t.entityById('Book'),
      issue: t.entityById('Book', { type: 'Issue' }),
      issues: t.entityConnection('Book', { type: 'Issue' }),
      guarded: t.entityConnection('Author', { authScopes: { staff: true } }),
    }),
  });
  return builder.toSchema();
}

t.test('scope-auth hides fields and entities, and lists say nothing of them', async (t) => {
  const database = await freshDatabase(t);
  await fillLibrary(openSql(t, database), 2, 2);
  const larder = await createLarder({ entities, postgres: { url: database.url } });
  t.teardown(larder.close);
  const schema = guardedSchema();
  const ask = async (source: string, staff = false) => {
    const contextValue = Object.assign(larder.createContext(), { staff });
    return JSON.parse(JSON.stringify(await graphql({ schema, source, contextValue })));
  };

  t.match(await ask('{ authors { nodes { name } } }'), {
    data: { authors: { nodes: [{ name: null }, { name: null }] } },
    errors: [{}, {}],
  });
  t.match(await ask('{ authors { nodes { name books { totalCount nodes { title } } } } }', true), {
    data: { authors: { nodes: [{ name: 'Author 1', books: { totalCount: 2, nodes: [{}, {}] } }, {}] } },
  });
  for (const of of [
    'totalCount',
    'nodes { id }',
    'edges { cursor }',
    'edges { node { id } }',
    'pageInfo { endCursor }',
  ]) {
    const { data, errors } = await ask(`{ authors { nodes { books { ${of} } } } }`);
    t.same(data, { authors: { nodes: [{ books: null }, { books: null }] } }, of);
    t.equal(errors.length, 2);
  }
  const hidden = encodeGlobalId('Book', '1');
  t.same((await ask(`{ book(id: "${hidden}") { id } }`)).data, { book: null });
  t.same((await ask(`{ node(id: "${hidden}") { id } }`)).data, { node: null });
  t.same((await ask('{ guarded { totalCount } }')).data, { guarded: null });

  // What a function of the entity decides is decided by all of it, also when the id alone is asked for.
  t.same((await ask('{ authors { nodes { later { totalCount } } } }', true)).data, {
    authors: { nodes: [{ later: null }, { later: { totalCount: 2 } }] },
  });
  t.same((await ask(`{ issue(id: "${encodeGlobalId('Issue', '1')}") { id } }`)).data, { issue: null });
  t.same((await ask(`{ issue(id: "${encodeGlobalId('Issue', '2')}") { title } }`)).data, {
    issue: { title: 'Book 1' },
  });
  t.same((await ask('{ issues { nodes { id } } }')).data, { issues: null }, 'no id of a page with one that is hidden');
});
