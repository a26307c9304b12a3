import { sql } from 'drizzle-orm';
import { pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import { bigintText as id } from './column-types.ts';

/**
 * Entities whose rows changed and whose cached bodies have yet to be dropped. Triggers fill it, so that an API write, psql,
 * a bulk load and a crash right after a commit are all covered; the drainer of any process empties it.
 */
export const cacheOutbox = pgTable('cache_outbox', {
  seq: id('seq').primaryKey().generatedAlwaysAsIdentity(),
  entity: text('entity').notNull(),
  entityId: id('entity_id').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true, mode: 'string' }).notNull().default(sql`clock_timestamp()`),
});
