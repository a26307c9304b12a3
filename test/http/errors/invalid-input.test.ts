import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import Fastify from 'fastify';
import { type Test, t } from 'tap';
import { type LarderFastifyOptions, larderFastify } from '../../../src/http/index.ts';
import { createLarder, entity, InvalidInput, type LarderContext, type RepositoriesOf } from '../../../src/index.ts';
import LarderPlugin from '../../../src/pothos/index.ts';
import { libraries, makeTables } from '../../support/library.ts';
import { freshDatabase } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';

const taken = new InvalidInput('name', 'DUPLICATE', 'Expected another name.');
const entities = {
  Library: entity(libraries, {
    rules: {
      texts: { name: { maxLength: 20, optional: false } },
      constraints: { libraries_name_key: { write: taken } },
    },
  }),
};

/** Libraries, and a mutation that only writes: it knows nothing of errors. */
function schemaOfLibraries() {
  const builder = new SchemaBuilder<{ Context: LarderContext<RepositoriesOf<typeof entities>> }>({
    plugins: [RelayPlugin, DataloaderPlugin, LarderPlugin],
  });
  const Library = builder.entity('Library', { fields: (t) => ({ name: t.exposeString('name') }) });
  builder.queryType({ fields: (t) => ({ libraries: t.entityConnection('Library') }) });
  builder.mutationType({
    fields: (t) => ({
      add: t.field({
        type: Library.ref,
        nullable: true,
        args: { name: t.arg.string({ required: true }) },
        resolve: async (_root, { name }, { repositories, scope }) =>
          (await repositories.Library.create({ name }, scope)).id,
      }),
    }),
  });
  return builder.toSchema();
}

const database = await freshDatabase(t);
const sql = openSql(t, database);
await makeTables(sql);
await sql`alter table libraries add unique (name)`;
const larder = await createLarder({ entities, postgres: { url: database.url } });
t.teardown(() => larder.close());

async function serve(t: Test, options: Partial<LarderFastifyOptions> = {}) {
  const said: string[] = [];
  const app = Fastify({ logger: { level: 'warn', stream: { write: (line: string) => void said.push(line) } } });
  t.teardown(() => app.close());
  const limits = { maxEventLoopDelayMs: 0 };
  await app.register(larderFastify, { larder, schema: schemaOfLibraries(), auth: null, limits, ...options });
  const ask = async (query: string) => {
    const answer = await app.inject({ method: 'POST', url: '/graphql', payload: { query } });
    return { status: answer.statusCode, ...answer.json() };
  };
  return { ask, said };
}

t.test('what a repository refuses to write is the fault of the client, which is told why', async (t) => {
  const { ask, said } = await serve(t);
  t.match(await ask('mutation { add(name: "Central") { name } }'), { data: { add: { name: 'Central' } } });
  const refused = {
    '': { reason: 'REQUIRED', message: 'Expected name not to be empty.' },
    'More than twenty characters': { reason: 'TOO_LONG', message: /^Expected name / },
    Central: { reason: 'DUPLICATE', message: taken.message },
  };
  for (const [name, { reason, message }] of Object.entries(refused)) {
    const answer = await ask(`mutation { it: add(name: "${name}") { name } more: __typename }`);
    const extensions = { code: 'BAD_USER_INPUT', field: 'name', reason };
    t.match(answer, { status: 200, data: { it: null, more: 'Mutation' }, errors: [{ message, path: ['it'] }] });
    t.strictSame(answer.errors[0].extensions, extensions);
  }
  t.same(said, [], 'nothing for whoever looks after the server');
});

t.test('outside of a resolver it is a fault of the server: no client gave the value', async (t) => {
  const context = () => {
    throw taken;
  };
  const { ask, said } = await serve(t, { context });
  t.match(await ask('{ libraries { totalCount } }'), {
    status: 500,
    errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
  });
  t.match(said, [/"err":.*Expected another name/, /"status":500/]);
});
