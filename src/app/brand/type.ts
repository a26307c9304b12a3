import type { Builder } from '../builder.ts';

/**
 * Adds brands to the schema.
 *
 * @param builder the schema's builder
 * @returns the type
 */
export function addBrandType(builder: Builder) {
  builder.queryFields((t) => ({
    brand: t.entityById('Brand', { description: 'The brand with a global id; `null` when there is none.' }),
    brands: t.entityConnection('Brand', { description: 'All brands, by id.' }),
  }));
  return builder.entity('Brand', {
    description: 'A company that runs campaigns.',
    fields: (t) => ({
      name: t.exposeString('name', { nullable: false }),
      campaigns: t.entityConnection('Campaign', { description: 'Its campaigns, by id.', list: 'ofBrand' }),
    }),
  });
}
