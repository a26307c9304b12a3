import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { fastify } from 'fastify';
import { type GraphQLSchema, validateSchema } from 'graphql';
import mercurius from 'mercurius';
import { type Test, t } from 'tap';
import { entities, type Repositories } from '../../src/app/entities.ts';
import { createLarder } from '../../src/larder.ts';
import LarderPlugin, { type LarderContext } from '../../src/pothos/index.ts';
import { send } from '../http/client.ts';
import { freshDatabase } from '../support/services.ts';

/** Brands that can only be read. */
function buildSchema(declared: boolean): GraphQLSchema {
  const builder = new SchemaBuilder<{ Context: LarderContext<Repositories> }>({
    plugins: [DataloaderPlugin, RelayPlugin, LarderPlugin],
    relay: { cursorType: 'String' },
  });
  builder.queryType({ fields: (t) => ({ brands: t.entityConnection('Brand') }) });
  if (declared) builder.mutationType({ description: 'None yet.' });
  builder.entity('Brand', { fields: (t) => ({ name: t.exposeString('name') }) });
  return builder.toSchema();
}

/** The engine of the server around another schema. */
async function serve(t: Test, schema: GraphQLSchema): Promise<string> {
  const database = await freshDatabase(t);
  const larder = await createLarder({ entities, postgres: { url: database.url } });
  t.teardown(larder.close);
  const app = fastify();
  t.teardown(() => app.close());
  await app.register(mercurius, { schema, context: () => larder.createContext() as object, jit: 1 });
  return app.listen({ host: '127.0.0.1', port: 0 });
}

t.test('a schema without mutations is served, whether they were declared or not', async (t) => {
  for (const declared of [true, false]) {
    const schema = buildSchema(declared);
    t.same(validateSchema(schema), []);
    t.equal(schema.getMutationType() ?? null, null);
    t.equal(schema.getType('Mutation'), undefined);
    const url = await serve(t, schema);
    const query = '{ brands(first: 3) { totalCount nodes { name } } __schema { mutationType { name } } }';
    for (let i = 0; i < 5; i += 1) {
      const answer = await send(url, { body: { query } });
      t.same(answer.json, { data: { brands: { totalCount: 0, nodes: [] }, __schema: { mutationType: null } } });
    }
    const refused = await send(url, { body: { query: 'mutation { createBrand { id } }' } });
    t.match(refused.text, /mutation/i, 'a mutation is refused as one');
    t.notOk(refused.json.data);
  }
});
