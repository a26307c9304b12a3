import { entity } from '../../index.ts';
import { isPositiveId } from '../positive-id.ts';
import { campaignEvents, events } from '../tables.ts';

/** Something that takes place at a time. `startsAt` is RFC 3339 text in UTC with up to six digits of a second. */
export const event = entity(events, {
  isId: isPositiveId,
  lists: {
    all: {
      orders: { ID: null, STARTS_AT: events.startsAt },
      filters: { startsAfter: { gt: events.startsAt }, startsBefore: { lt: events.startsAt } },
    },
    ofCampaign: {
      from: campaignEvents,
      parent: campaignEvents.campaignId,
      id: campaignEvents.eventId,
      orders: { STARTS_AT: campaignEvents.startsAt, ID: null },
      filters: { startsAfter: { gt: campaignEvents.startsAt }, startsBefore: { lt: campaignEvents.startsAt } },
    },
  },
  rules: {
    texts: { title: { maxLength: 200, optional: false }, body: { maxLength: 20_000, optional: true } },
  },
});
