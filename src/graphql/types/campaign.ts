import { builder } from '../builder.ts';
import { connectionField } from '../connection.ts';
import { entityType } from '../entity-type.ts';
import { databaseId } from '../node.ts';
import { brandType } from './brand.ts';
import { eventType } from './event.ts';
import { eventListArgs, eventListSource } from './event-list.ts';

/** A campaign in the schema. */
export const campaignType = entityType('Campaign', (repositories) => repositories.campaign);

campaignType.implement({
  description: 'Something that a brand sells: a set of events.',
  fields: (t) => ({
    title: t.exposeString('title', { nullable: false }),
    body: t.exposeString('body', { nullable: false }),
    brand: t.field({
      description: 'The brand that sells it.',
      type: brandType.ref,
      resolve: (campaign, _args, _context, info) => brandType.reference(campaign.brandId, info),
    }),
    events: connectionField(t, eventType, {
      description: 'Its events, the earliest first unless ordered otherwise.',
      args: eventListArgs(t),
      source: (campaign, args) => eventListSource(args, 'ofCampaign', campaign.databaseId, 'STARTS_AT'),
    }),
  }),
});

builder.queryFields((t) => ({
  campaign: t.field({
    description: 'The campaign with a global id; `null` when there is none.',
    type: campaignType.ref,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }) => databaseId('Campaign', id),
  }),
  campaigns: connectionField(t, campaignType, {
    description: 'All campaigns, by id.',
    source: () => ({ list: 'all', order: 'ID' }),
  }),
}));
