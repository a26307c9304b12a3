import { builder } from '../builder.ts';
import { connectionField } from '../connection.ts';
import { entityType } from '../entity-type.ts';
import { databaseId } from '../node.ts';
import { campaignType } from './campaign.ts';

/** A brand in the schema. */
export const brandType = entityType('Brand', (repositories) => repositories.brand);

brandType.implement({
  description: 'A company that runs campaigns.',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false }),
    campaigns: connectionField(t, campaignType, {
      description: 'Its campaigns, by id.',
      source: (brand) => ({ list: 'ofBrand', parent: brand.databaseId, order: 'ID' }),
    }),
  }),
});

builder.queryFields((t) => ({
  brand: t.field({
    description: 'The brand with a global id; `null` when there is none.',
    type: brandType.ref,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }) => databaseId('Brand', id),
  }),
  brands: connectionField(t, brandType, {
    description: 'All brands, by id.',
    source: () => ({ list: 'all', order: 'ID' }),
  }),
}));
