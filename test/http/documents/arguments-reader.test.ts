import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { t } from 'tap';
import { createLarder } from '../../../src/index.ts';
import LarderPlugin, { type LarderContext } from '../../../src/pothos/index.ts';
import { entities, makeLibrary, type Repositories } from '../../support/library.ts';
import { freshDatabase } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';
import { serveSchema } from '../graphql/support/serve-schema.ts';

// From the fourth time on the executor that writes text reads the arguments.
const TIMES = 6;

t.test('what a `source` does to its arguments is seen by no other call', async (t) => {
  const database = await freshDatabase(t);
  await makeLibrary(openSql(t, database), { libraries: 2, shelves: 4, books: 1, perShelf: 1 });
  const larder = await createLarder({ entities, postgres: { url: database.url } });
  t.teardown(() => larder.close());
  const builder = new SchemaBuilder<{
    Context: LarderContext<Repositories>;
    Scalars: { Day: { Input: Date; Output: Date } };
  }>({ plugins: [RelayPlugin, DataloaderPlugin, LarderPlugin] });
  builder.scalarType('Day', { serialize: String, parseValue: (text) => new Date(String(text)) });
  const Where = builder.inputType('Where', { fields: (t) => ({ names: t.stringList() }) });
  const seen: unknown[] = [];
  builder.entity('Library', {
    fields: (t) => ({
      shelves: t.entityConnection('Shelf', {
        args: {
          where: t.arg({ type: Where }),
          tags: t.arg.stringList(),
          since: t.arg({ type: 'Day' }),
          name: t.arg.string(),
        },
        source: (library, { where, tags, since, name }) => {
          seen.push([where?.names?.length, tags?.length, since?.getUTCFullYear(), name]);
          where?.names?.push('more');
          tags?.push('more');
          since?.setUTCFullYear(1);
          return { list: 'inLibrary', order: 'ID', parent: library.databaseId };
        },
      }),
    }),
  });
  builder.entity('Shelf', { fields: (t) => ({ title: t.exposeString('title') }) });
  builder.queryType({ fields: (t) => ({ libraries: t.entityConnection('Library') }) });
  const ask = await serveSchema(t, larder, builder.toSchema());
  for (const [variables, name] of [
    ['', '"a"'],
    ['($name: String = "a")', '$name'],
  ] as const) {
    const args = `where: { names: ["a"] }, tags: ["a"], since: "2026-01-01", name: ${name}`;
    const query = `query ${variables} { libraries { nodes { shelves(${args}) { nodes { title } } } } }`;
    seen.length = 0;
    for (let i = 0; i < TIMES; i += 1) t.equal((await ask(query)).json().errors, undefined);
    t.same(seen, Array(2 * TIMES).fill([1, 1, 2026, 'a']), name);
  }
});
