import { sql } from 'drizzle-orm';
import {
  InvalidInput,
  type Scope,
  type Storage,
  statement,
  type WriteRules,
  withConstraints,
  write,
} from '../../index.ts';
import { campaignEvents, events } from '../tables.ts';

/** Which events belong to which campaigns. Only lists show it, and lists are never cached. */
export interface CampaignLinks {
  /**
   * @param campaignId the campaign
   * @param eventId the event that shall belong to it
   * @param scope the request's scope
   * @throws {InvalidInput} when there is no such campaign or event, or the event belongs to it already
   */
  addEvent(campaignId: string, eventId: string, scope: Scope): Promise<void>;
  /**
   * @param campaignId the campaign
   * @param eventId the event that shall no longer belong to it
   * @param scope the request's scope
   * @throws {InvalidInput} when the event does not belong to it
   */
  removeEvent(campaignId: string, eventId: string, scope: Scope): Promise<void>;
}

const unknownEvent = new InvalidInput('eventId', 'NOT_FOUND', 'Expected the id of an event that exists.');
const notLinked = new InvalidInput('eventId', 'NOT_FOUND', 'Expected an event that belongs to the campaign.');

const rules: WriteRules = {
  texts: {},
  constraints: {
    campaign_events_campaign_id_event_id_pk: {
      write: new InvalidInput('eventId', 'DUPLICATE', 'Expected an event that does not belong to the campaign yet.'),
    },
    campaign_events_campaign_id_campaigns_id_fk: {
      write: new InvalidInput('campaignId', 'NOT_FOUND', 'Expected the id of a campaign that exists.'),
    },
  },
};

const ids = {
  campaign: sql`${sql.placeholder('campaignId')}::bigint`,
  event: sql`${sql.placeholder('eventId')}::bigint`,
};

// The lock keeps the event's time until the link that copies it is committed.
const insertLink = statement<{ id: string }>(
  'CampaignEvent.insert',
  sql`insert into ${campaignEvents} (campaign_id, event_id, starts_at)
    select ${ids.campaign}, e.id, e.starts_at from ${events} e where e.id = ${ids.event} for share
    returning event_id as id`,
);

const deleteLink = statement<{ id: string }>(
  'CampaignEvent.delete',
  sql`delete from ${campaignEvents} where campaign_id = ${ids.campaign} and event_id = ${ids.event} returning event_id as id`,
);

/**
 * @param storage where the links are
 * @returns the links
 */
export function createCampaignLinks(storage: Storage): CampaignLinks {
  return {
    addEvent: async (campaignId, eventId, scope) => {
      const { rows, forget } = await withConstraints(rules, 'write', () =>
        write(storage, insertLink, { campaignId, eventId }, scope),
      );
      if (rows.length === 0) throw unknownEvent;
      await forget();
    },
    removeEvent: async (campaignId, eventId, scope) => {
      const { rows, forget } = await write(storage, deleteLink, { campaignId, eventId }, scope);
      if (rows.length === 0) throw notLinked;
      await forget();
    },
  };
}
