import { sqlTimestamp } from '../../index.ts';
import { type EntityRef, encodeCursor, encodeGlobalId, nodeOf } from '../../pothos/index.ts';
import type { Builder, SchemaTypes } from '../builder.ts';
import { inputId } from '../write.ts';

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

/**
 * Adds the mutations that link events to campaigns to the schema.
 *
 * @param builder the schema's builder
 * @param campaign the type of campaigns
 * @param event the type of events
 */
export function addLinkMutations(
  builder: Builder,
  campaign: EntityRef<SchemaTypes, 'Campaign'>,
  event: EntityRef<SchemaTypes, 'Event'>,
): void {
  builder.relayMutationField(
    'addEventToCampaign',
    { inputFields: (t) => ({ campaignId: t.id({ required: true }), eventId: t.id({ required: true }) }) },
    {
      description: 'Lets an event belong to a campaign.',
      nullable: true,
      resolve: async (_root, { input }, { repositories, scope }) => {
        const link = linkOf(input);
        await repositories.Campaign.addEvent(link.campaignId, link.eventId, scope);
        return link;
      },
    },
    {
      outputFields: (t) => ({
        campaign: t.field({ type: campaign.ref, resolve: ({ campaignId }) => campaignId }),
        event: t.field({ type: event.ref, resolve: ({ eventId }) => eventId }),
        eventEdge: t.field({
          description: "The new edge, for the campaign's events in the order of their time.",
          type: event.edge,
          nullable: true,
          resolve: async (link, _args, { repositories, scope }) => {
            const added = await repositories.Event.findById(link.eventId, scope);
            if (added === null) return null;
            const position = { key: sqlTimestamp(added.startsAt), id: added.id };
            return { node: nodeOf('Event', added), cursor: encodeCursor('Event.ofCampaign', 'STARTS_AT', position) };
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
      resolve: async (_root, { input }, { repositories, scope }) => {
        const link = linkOf(input);
        await repositories.Campaign.removeEvent(link.campaignId, link.eventId, scope);
        return link;
      },
    },
    {
      outputFields: (t) => ({
        campaign: t.field({ type: campaign.ref, resolve: ({ campaignId }) => campaignId }),
        event: t.field({ type: event.ref, resolve: ({ eventId }) => eventId }),
        removedEventId: t.id({
          description: "The event's global id, to take its edge out of the campaign's list.",
          nullable: false,
          resolve: ({ eventId }) => encodeGlobalId('Event', eventId),
        }),
      }),
    },
  );
}
