import type { Builder } from '../builder.ts';
import { type EventListArguments, eventListSource } from '../event/list-arguments.ts';

/**
 * Adds campaigns to the schema.
 *
 * @param builder the schema's builder
 * @param eventListArguments the arguments of every list of events
 * @returns the type
 */
export function addCampaignType(builder: Builder, eventListArguments: EventListArguments) {
  builder.queryFields((t) => ({
    campaign: t.entityById('Campaign', { description: 'The campaign with a global id; `null` when there is none.' }),
    campaigns: t.entityConnection('Campaign', { description: 'All campaigns, by id.' }),
  }));
  return builder.entity('Campaign', {
    description: 'Something that a brand sells: a set of events.',
    fields: (t) => ({
      title: t.exposeString('title', { nullable: false }),
      body: t.exposeString('body', { nullable: false }),
      brand: t.entityReference('Brand', { id: 'brandId', description: 'The brand that sells it.' }),
      events: t.entityConnection('Event', {
        description: 'Its events, the earliest first unless ordered otherwise.',
        args: eventListArguments,
        source: (campaign, args) => eventListSource(args, 'ofCampaign', campaign.databaseId, 'STARTS_AT'),
      }),
    }),
  });
}
