import type { InferSelectModel } from 'drizzle-orm';
import { campaignEvents, campaigns } from '../../db/schema.ts';
import { defineEntity } from '../../repository/entity-definition.ts';
import { InvalidInput } from '../../repository/invalid-input.ts';

/** Something that a brand sells: a set of events. The brand is held as its id. */
export type Campaign = Readonly<InferSelectModel<typeof campaigns>>;

/** How campaigns are read and written. */
export const campaignDefinition = defineEntity<Campaign, 'all' | 'ofBrand' | 'ofEvent'>({
  name: 'Campaign',
  table: campaigns,
  lists: {
    all: { from: campaigns, id: campaigns.id, orders: { ID: null } },
    ofBrand: { from: campaigns, parent: campaigns.brandId, id: campaigns.id, orders: { ID: null } },
    ofEvent: {
      from: campaignEvents,
      parent: campaignEvents.eventId,
      id: campaignEvents.campaignId,
      orders: { ID: null },
    },
  },
  rules: {
    texts: { title: { maxLength: 200, optional: false }, body: { maxLength: 20_000, optional: true } },
    constraints: {
      campaigns_brand_id_brands_id_fk: {
        write: new InvalidInput('brandId', 'NOT_FOUND', 'Expected the id of a brand that exists.'),
      },
    },
  },
});
