import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { graphql } from 'graphql';
import { t } from 'tap';
import { createLarder, entity, type RepositoriesOf } from '../../src/index.ts';
import LarderPlugin, { type LarderContext } from '../../src/pothos/index.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const things = pgTable('things', {
  id: integer('id').primaryKey(),
  box: integer('box').notNull(),
  size: integer('size').notNull(),
  name: text('name').notNull(),
});
const inBox = { parent: things.box, orders: { ID: null, SIZE: things.size } };
const entities = { Thing: entity(things, { unwatched: true, version: things.name, lists: { inBox } }) };

const builder = new SchemaBuilder<{ Context: LarderContext<RepositoriesOf<typeof entities>> }>({
  plugins: [DataloaderPlugin, RelayPlugin, LarderPlugin],
  relay: { cursorType: 'String' },
});
builder.entity('Thing', { fields: (t) => ({ name: t.exposeString('name') }) });
builder.queryType({
  fields: (t) => ({
    things: t.entityConnection('Thing', {
      args: { box: t.arg.string({ required: true }) },
      source: (_root, { box }) => ({ list: 'inBox', parent: box, order: 'SIZE' }),
    }),
  }),
});
const schema = builder.toSchema();

t.test('a row that Postgres cannot read is no fault of the client, and none of the pages beside it', async (t) => {
  const database = await freshDatabase(t);
  await openSql(t, database).unsafe(`
    create table raw_things (id int primary key, box int not null, size text not null, name text not null);
    insert into raw_things values (1, 1, '7', 'first'), (2, 2, 'abc', 'broken'), (3, 1, '8', 'second');
    create view things as select id, box, size::int as size, name from raw_things`);
  await using larder = await createLarder({ entities, postgres: { url: database.url } });
  const ask = (source: string) => graphql({ schema, source, contextValue: larder.createContext() });
  const after = Buffer.from(JSON.stringify(['Thing.inBox', 'SIZE', '7', '1'])).toString('base64');
  const alone = await ask('{ things(box: "2") { nodes { name } } }');
  t.match(alone.errors, [{ path: ['things'], originalError: { code: '22P02' } }], 'what is logged is the reason');
  t.same(alone.errors?.[0]?.extensions, {});
  const beside = await ask(`{
    bad: things(box: "2") { nodes { name } }
    good: things(box: "1", after: "${after}") { nodes { name } }
  }`);
  t.match(beside.errors, [{ path: ['bad'], originalError: { code: '22P02' } }]);
  t.equal(beside.errors?.length, 1);
  t.strictSame(JSON.parse(JSON.stringify(beside.data)), { bad: null, good: { nodes: [{ name: 'second' }] } });
});
