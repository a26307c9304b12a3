import { entity } from '../../index.ts';
import { campaignEvents, events } from '../tables.ts';

/** Something that takes place at a time. `startsAt` is RFC 3339 text in UTC with up to six digits of a second. */
export const event = entity(events, {
  lists: {
    all: { range: events.startsAt, orders: { ID: null, STARTS_AT: events.startsAt } },
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
  },
});
