import { sqlTimestamp } from '../../repository/entity-definition.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { encodeCursor } from '../cursor.ts';
import { encodeGlobalId } from '../global-id.ts';
import { campaignType } from '../types/campaign.ts';
import { eventType } from '../types/event.ts';
import { inputId, withInput } from './write.ts';

/** The two ends of a link, as database ids. */
interface Link {
  readonly campaignId: string;
  readonly eventId: string;
}

function linkOf(input: Link): Link {
  return {
    campaignId: inputId('Campaign', 'campaignId', input.campaignId),
    eventId: inputId('Event', 'eventId', input.eventId),
  };
}

const event = async ({ eventId }: Link, { repositories, scope }: GraphQLContext) =>
  repositories.event.findById(eventId, scope);

builder.relayMutationField(
  'addEventToCampaign',
  { inputFields: (t) => ({ campaignId: t.id({ required: true }), eventId: t.id({ required: true }) }) },
  {
    description: 'Lets an event belong to a campaign.',
    nullable: true,
    resolve: (_root, { input }, { repositories, scope }) =>
      withInput(async () => {
        const link = linkOf(input);
        await repositories.campaignLinks.add(link.campaignId, link.eventId, scope);
        return link;
      }),
  },
  {
    outputFields: (t) => ({
      campaign: t.field({ type: campaignType.ref, resolve: ({ campaignId }) => campaignId }),
      event: t.field({ type: eventType.ref, resolve: ({ eventId }) => eventId }),
      eventEdge: t.field({
        description: "The new edge, for the campaign's events in the order of their time.",
        type: eventType.edge,
        nullable: true,
        resolve: async (link, _args, context) => {
          const added = await event(link, context);
          if (added === null) return null;
          const position = { key: sqlTimestamp(added.startsAt), id: added.id };
          return { node: eventType.nodeOf(added), cursor: encodeCursor('Event.ofCampaign', 'STARTS_AT', position) };
        },
      }),
    }),
  },
);

builder.relayMutationField(
  'removeEventFromCampaign',
  { inputFields: (t) => ({ campaignId: t.id({ required: true }), eventId: t.id({ required: true }) }) },
  {
    description: 'Lets an event no longer belong to a campaign. The event stays.',
    nullable: true,
    resolve: (_root, { input }, { repositories, scope }) =>
      withInput(async () => {
        const link = linkOf(input);
        await repositories.campaignLinks.remove(link.campaignId, link.eventId, scope);
        return link;
      }),
  },
  {
    outputFields: (t) => ({
      campaign: t.field({ type: campaignType.ref, resolve: ({ campaignId }) => campaignId }),
      event: t.field({ type: eventType.ref, resolve: ({ eventId }) => eventId }),
      removedEventId: t.id({
        description: "The event's global id, to take its edge out of the campaign's list.",
        nullable: false,
        resolve: ({ eventId }) => encodeGlobalId('Event', eventId),
      }),
    }),
  },
);
