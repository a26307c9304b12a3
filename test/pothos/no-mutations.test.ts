import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { fastify } from 'fastify';
import { type GraphQLSchema, validateSchema } from 'graphql';
import mercurius from 'mercurius';
import { type Test, t } from 'tap';
import { createLarder } from '../../src/larder.ts';
import LarderPlugin, { type LarderContext } from '../../src/pothos/index.ts';
import { entities, makeTables, type Repositories } from '../support/library.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

/** Libraries that can only be read. */
function buildSchema(declared: boolean): GraphQLSchema {
  const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>({
    plugins: [DataloaderPlugin, RelayPlugin, LarderPlugin],
    relay: { cursorType: 'String' },
  });
  builder.queryType({ fields: (t) => ({ libraries: t.entityConnection('Library') }) });
  if (declared) builder.mutationType({ description: 'None yet.' });
  builder.entity('Library', { fields: (t) => ({ name: t.exposeString('name') }) });
  return builder.toSchema();
}

/** The engine of the server around another schema. */
async function serve(t: Test, schema: GraphQLSchema): Promise<string> {
  const database = await freshDatabase(t);
  await makeTables(openSql(t, database));
  const larder = await createLarder({ entities, postgres: { url: database.url } });
  t.teardown(larder.close);
  const app = fastify();
  t.teardown(() => app.close());
  await app.register(mercurius, { schema, context: () => larder.createContext() as object, jit: 1 });
  return app.listen({ host: '127.0.0.1', port: 0 });
}

async function ask(url: string, query: string): Promise<{ data?: unknown; errors?: unknown }> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as { data?: unknown; errors?: unknown };
}

t.test('a schema without mutations is served, whether they were declared or not', async (t) => {
  for (const declared of [true, false]) {
    const schema = buildSchema(declared);
    t.same(validateSchema(schema), []);
    t.equal(schema.getMutationType() ?? null, null);
    t.equal(schema.getType('Mutation'), undefined);
    const url = await serve(t, schema);
    const query = '{ libraries(first: 3) { totalCount nodes { name } } __schema { mutationType { name } } }';
    for (let i = 0; i < 5; i += 1) {
      t.same(await ask(url, query), {
        data: { libraries: { totalCount: 0, nodes: [] }, __schema: { mutationType: null } },
      });
    }
    const refused = await ask(url, 'mutation { createLibrary { id } }');
    t.match(JSON.stringify(refused.errors), /mutation/i, 'a mutation is refused as one');
    t.notOk(refused.data);
  }
});
