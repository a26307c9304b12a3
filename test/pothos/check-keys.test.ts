import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import { foreignKey, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { GraphQLSchema } from 'graphql';
import { t } from 'tap';
import { compositeId, createLarder, entity, type LarderContext, type RepositoriesOf } from '../../src/index.ts';
import LarderPlugin, { checkSchema } from '../../src/pothos/index.ts';

const orders = pgTable(
  'orders',
  { tenant: integer('tenant').notNull(), number: integer('number').notNull(), paper: uuid('paper').notNull() },
  (t) => [primaryKey({ columns: [t.tenant, t.number] })],
);
const papers = pgTable('papers', { id: uuid('id').primaryKey(), number: integer('number').notNull() });
const items = pgTable(
  'items',
  {
    id: integer('id').primaryKey(),
    tenant: integer('tenant').notNull(),
    order: integer('order_number').notNull(),
    paper: integer('paper_number').references(() => papers.number),
    subject: text('subject').notNull(),
  },
  (t) => [foreignKey({ columns: [t.tenant, t.order], foreignColumns: [orders.tenant, orders.number] })],
);

const entities = {
  Order: entity(orders),

  Draft: entity(orders),
  Paper: entity(papers),
  Item: entity(items, {
    lists: {
      whole: { parent: [items.tenant, items.order] },
      half: { parent: items.order },
      turned: { parent: [items.order, items.tenant] },
      onPaper: { parent: items.paper },
      about: { parent: items.subject },
    },
  }),
};

const makeBuilder = () =>
  new SchemaBuilder<{
    Context: LarderContext<RepositoriesOf<typeof entities>>;
    Objects: { Ticket: { order: string } };
  }>({
    plugins: [RelayPlugin, DataloaderPlugin, LarderPlugin],
  });
type Builder = ReturnType<typeof makeBuilder>;

/** A schema of items, and what one more type shows of them. */
function schemaWith(declare: (builder: Builder) => unknown): GraphQLSchema {
  const builder = makeBuilder();
  builder.entity('Item', {
    fields: (t) => ({
      order: t.entityReference('Order', { id: ({ tenant, order }) => compositeId([tenant, order]) }),
    }),
  });
  builder.entity('Order', { fields: (t) => ({ items: t.entityConnection('Item', { list: 'whole' }) }) });
  builder.queryType({ fields: (t) => ({ order: t.entityById('Order') }) });
  declare(builder);
  return builder.toSchema();
}

const shows = (list: 'half' | 'turned') => (builder: Builder) =>
  builder.entity('Order', { name: 'Other', fields: (t) => ({ items: t.entityConnection('Item', { list }) }) });

const WRONG: Readonly<Record<string, [says: string, declare: (builder: Builder) => unknown]>> = {
  'a list whose parent is half a key': [
    'Other.items: expected the parent of Item.half to hold the key of Order (tenant, number), or a source that says which, got (order_number). See docs/your-tables.md#lists-and-orders.',
    shows('half'),
  ],
  'a list whose parent is a key turned round': [
    'Other.items: expected the parent of Item.turned to hold the key of Order (tenant, number), or a source that says which, got (order_number, tenant), which refers to (number, tenant). See docs/your-tables.md#lists-and-orders.',
    shows('turned'),
  ],
  'a list whose parent is another column than the key': [
    'Paper.items: expected the parent of Item.onPaper to hold the key of Paper (id), or a source that says which, got (paper_number), which refers to (number). See docs/your-tables.md#lists-and-orders.',
    (builder) =>
      builder.entity('Paper', { fields: (t) => ({ items: t.entityConnection('Item', { list: 'onPaper' }) }) }),
  ],
  'a reference by half a key': [
    'Other.whole: expected the key of Order (tenant, number), of several columns by a function and compositeId, got order (order). See docs/your-tables.md#references.',
    (builder) =>
      builder.entity('Item', {
        name: 'Other',
        fields: (t) => ({ whole: t.entityReference('Order', { id: 'order' }) }),
      }),
  ],
  'a reference by the whole of another key': [
    'Other.item: expected the key of Item (id), of several columns by a function and compositeId, got id (tenant, number). See docs/your-tables.md#references.',
    (builder) =>
      builder.entity('Order', { name: 'Other', fields: (t) => ({ item: t.entityReference('Item', { id: 'id' }) }) }),
  ],
};

const larder = await createLarder({ entities, postgres: { url: 'postgres://127.0.0.1:1/nowhere' } });
t.teardown(() => larder.close());

for (const [what, [message, declare]] of Object.entries(WRONG)) {
  t.test(`${what} is refused, since it would find nothing or others' rows`, async (t) => {
    t.throws(() => checkSchema(schemaWith(declare), larder.repositories), { name: 'TypeError', message });
  });
}

t.test('whole keys are let pass, and so is what nobody knows', async (t) => {
  const right = schemaWith((builder) => {
    builder.entity('Draft', {
      fields: (t) => ({
        items: t.entityConnection('Item', { list: 'whole' }),
        // A text may hold what compositeId has made.
        about: t.entityConnection('Item', { list: 'about' }),
        order: t.entityReference('Order', { id: 'id' }),
        paper: t.entityReference('Paper', { id: 'paper' }),
      }),
    });
    builder.entity('Paper', { fields: (t) => ({ number: t.exposeInt('number') }) });
    builder.entity('Item', {
      name: 'Note',
      fields: (t) => ({ subject: t.entityReference('Order', { id: 'subject' }) }),
    });
    // So may its field.
    builder.objectType('Ticket', { fields: (t) => ({ order: t.entityReference('Order', { id: 'order' }) }) });
  });
  t.doesNotThrow(() => checkSchema(right, larder.repositories));
});
