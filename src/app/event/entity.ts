import type { InferSelectModel } from 'drizzle-orm';
import { campaignEvents, events } from '../../db/schema.ts';
import { defineEntity } from '../../repository/entity-definition.ts';

/** Something that takes place at a time. `startsAt` is RFC 3339 text in UTC with up to six digits of a second. */
export type Event = Readonly<InferSelectModel<typeof events>>;

/** How events are read and written. */
export const eventDefinition = defineEntity<Event, 'all' | 'ofCampaign'>({
  name: 'Event',
  table: events,
  lists: {
    all: {
      from: events,
      id: events.id,
      range: events.startsAt,
      orders: { ID: null, STARTS_AT: events.startsAt },
    },
    ofCampaign: {
      from: campaignEvents,
      parent: campaignEvents.campaignId,
      id: campaignEvents.eventId,
      range: campaignEvents.startsAt,
      orders: { STARTS_AT: campaignEvents.startsAt, ID: null },
    },
  },
  rules: {
    texts: { title: { maxLength: 200, optional: false }, body: { maxLength: 20_000, optional: true } },
    constraints: {},
  },
});
