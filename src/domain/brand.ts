import type { InferSelectModel } from 'drizzle-orm';
import { brands } from '../db/schema.ts';
import { defineEntity } from '../repository/entity-definition.ts';

/** A company that runs campaigns. */
export type Brand = Readonly<InferSelectModel<typeof brands>>;

/** How brands are read. */
export const brandDefinition = defineEntity<Brand, 'all'>({
  name: 'Brand',
  table: brands,
  lists: { all: { from: brands, id: brands.id, orders: { ID: null } } },
});
