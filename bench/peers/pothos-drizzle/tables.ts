import { defineRelations } from 'drizzle-orm';
import { bigint, getTableConfig, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { settings } from '../support/settings.ts';

const id = (name: string) => bigint(name, { mode: 'number' });
const time = (name: string) => timestamp(name, { withTimezone: true, precision: 6, mode: 'string' });

export const brands = pgTable('brands', { id: id('id').primaryKey(), name: text('name').notNull() });

export const campaigns = pgTable('campaigns', {
  id: id('id').primaryKey(),
  brandId: id('brand_id').notNull(),
  title: text('title').notNull(),
  body: text('body').notNull(),
});

export const events = pgTable('events', {
  id: id('id').primaryKey(),
  title: text('title').notNull(),
  body: text('body').notNull(),
  startsAt: time('starts_at').notNull(),
});

export const campaignEvents = pgTable(
  'campaign_events',
  { campaignId: id('campaign_id').notNull(), startsAt: time('starts_at').notNull(), eventId: id('event_id').notNull() },
  (t) => [primaryKey({ columns: [t.campaignId, t.eventId] })],
);

export const relations = defineRelations({ brands, campaigns, events, campaignEvents }, (r) => ({
  brands: { campaigns: r.many.campaigns({ from: r.brands.id, to: r.campaigns.brandId }) },
  campaigns: {
    brand: r.one.brands({ from: r.campaigns.brandId, to: r.brands.id, optional: false }),
    links: r.many.campaignEvents({ from: r.campaigns.id, to: r.campaignEvents.campaignId }),
  },
  events: { links: r.many.campaignEvents({ from: r.events.id, to: r.campaignEvents.eventId }) },
  campaignEvents: {
    campaign: r.one.campaigns({ from: r.campaignEvents.campaignId, to: r.campaigns.id, optional: false }),
    event: r.one.events({ from: r.campaignEvents.eventId, to: r.events.id, optional: false }),
  },
}));

const client = postgres(settings.databaseUrl, { onnotice: () => {} });

export const db = drizzle({ client, relations });

export { getTableConfig };
