import { sql } from 'drizzle-orm';
import { check, foreignKey, index, pgTable, primaryKey, text, unique } from 'drizzle-orm/pg-core';
import { bigintText as id, rfc3339 } from '../index.ts';

/** Only positive ids exist. So a negative or zero id from a client names nothing, and Postgres need not be asked. */
const positive = (name: string) => check(name, sql`id > 0`);

/** Companies that run campaigns. */
export const brands = pgTable(
  'brands',
  {
    id: id('id').primaryKey().generatedByDefaultAsIdentity(),
    name: text('name').notNull(),
  },
  () => [positive('brands_id_positive')],
);

/** What brands sell: sets of events. */
export const campaigns = pgTable(
  'campaigns',
  {
    id: id('id').primaryKey().generatedByDefaultAsIdentity(),
    brandId: id('brand_id')
      .notNull()
      .references(() => brands.id),
    title: text('title').notNull(),
    body: text('body').notNull().default(''),
  },
  (t) => [positive('campaigns_id_positive'), index('campaigns_by_brand').on(t.brandId, t.id)],
);

/** What takes place at a time. */
export const events = pgTable(
  'events',
  {
    id: id('id').primaryKey().generatedByDefaultAsIdentity(),
    title: text('title').notNull(),
    body: text('body').notNull().default(''),
    startsAt: rfc3339('starts_at').notNull(),
  },
  (t) => [
    positive('events_id_positive'),
    // RFC 3339 writes the years 1 to 9999. The check also excludes 'infinity', which the keyset uses as its sentinel.
    check(
      'events_starts_at_range',
      sql`starts_at >= timestamptz '0001-01-01 00:00:00+00' and starts_at < timestamptz '10000-01-01 00:00:00+00'`,
    ),
    unique('events_id_starts_at').on(t.id, t.startsAt),
    index('events_by_starts_at').on(t.startsAt, t.id),
  ],
);

/**
 * The many-to-many link. It has a copy of the event's `starts_at`, which the composite foreign key keeps equal. So a campaign's page in
 * time order is one index range scan, whatever the campaign's size.
 */
export const campaignEvents = pgTable(
  'campaign_events',
  {
    campaignId: id('campaign_id')
      .notNull()
      .references(() => campaigns.id, { onDelete: 'cascade' }),
    startsAt: rfc3339('starts_at').notNull(),
    eventId: id('event_id').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.campaignId, t.eventId] }),
    index('campaign_events_by_starts_at').on(t.campaignId, t.startsAt, t.eventId),
    index('campaign_events_by_event').on(t.eventId, t.campaignId),
    foreignKey({
      name: 'campaign_events_event',
      columns: [t.eventId, t.startsAt],
      foreignColumns: [events.id, events.startsAt],
    })
      .onUpdate('cascade')
      .onDelete('cascade'),
  ],
);
