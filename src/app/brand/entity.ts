import type { InferSelectModel } from 'drizzle-orm';
import { brands } from '../../db/schema.ts';
import { defineEntity } from '../../repository/entity-definition.ts';
import { InvalidInput } from '../../repository/invalid-input.ts';

/** A company that runs campaigns. */
export type Brand = Readonly<InferSelectModel<typeof brands>>;

/** How brands are read and written. */
export const brandDefinition = defineEntity<Brand, 'all'>({
  name: 'Brand',
  table: brands,
  lists: { all: { from: brands, id: brands.id, orders: { ID: null } } },
  rules: {
    texts: { name: { maxLength: 200, optional: false } },
    constraints: {
      campaigns_brand_id_brands_id_fk: {
        delete: new InvalidInput(
          'id',
          'IN_USE',
          'Expected a brand without campaigns: delete or move its campaigns first.',
        ),
      },
    },
  },
});
