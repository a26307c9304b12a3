import { entity, InvalidInput } from '../../index.ts';
import { isPositiveId } from '../positive-id.ts';
import { campaignEvents, campaigns } from '../tables.ts';
import { createCampaignLinks } from './links.ts';

/** Something that a brand sells: a set of events. The brand is held as its id. */
export const campaign = entity(campaigns, {
  isId: isPositiveId,
  lists: {
    ofBrand: { parent: campaigns.brandId },
    ofEvent: { from: campaignEvents, parent: campaignEvents.eventId, id: campaignEvents.campaignId },
  },
  rules: {
    texts: { title: { maxLength: 200, optional: false }, body: { maxLength: 20_000, optional: true } },
    constraints: {
      campaigns_brand_id_brands_id_fk: {
        write: new InvalidInput('brandId', 'NOT_FOUND', 'Expected the id of a brand that exists.'),
      },
    },
  },
  extend: (_repository, storage) => createCampaignLinks(storage),
});
