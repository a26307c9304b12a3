import { builder } from '../builder.ts';
import { connectionField } from '../connection.ts';
import { entityType } from '../entity-type.ts';
import { databaseId } from '../node.ts';
import { campaignType } from './campaign.ts';
import { eventListArgs, eventListSource } from './event-list.ts';

/** An event in the schema. */
export const eventType = entityType('Event', (repositories) => repositories.event);

eventType.implement({
  description: 'Something that takes place at a time, in any number of campaigns.',
  fields: (t) => ({
    title: t.exposeString('title', { nullable: false }),
    body: t.exposeString('body', { nullable: false }),
    startsAt: t.expose('startsAt', { type: 'DateTime', nullable: false }),
    campaigns: connectionField(t, campaignType, {
      description: 'The campaigns that it belongs to, by id.',
      source: (event) => ({ list: 'ofEvent', parent: event.databaseId, order: 'ID' }),
    }),
  }),
});

builder.queryFields((t) => ({
  event: t.field({
    description: 'The event with a global id; `null` when there is none.',
    type: eventType.ref,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }) => databaseId('Event', id),
  }),
  events: connectionField(t, eventType, {
    description: 'All events, by id unless ordered otherwise, or those of one campaign, the earliest first.',
    args: {
      ...eventListArgs(t),
      campaign: t.arg.id({ description: 'Only events of the campaign with this global id; none if there is none.' }),
    },
    source: (_root, args) => {
      if (args.campaign == null) return eventListSource(args, 'all', undefined, 'ID');
      return eventListSource(args, 'ofCampaign', databaseId('Campaign', args.campaign), 'STARTS_AT');
    },
  }),
}));
