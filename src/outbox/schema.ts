import { sql } from 'drizzle-orm';
import { bigint, customType, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { bigintText as id } from '../postgres/column-types.ts';

/** A transaction's id, which never begins anew. */
const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' });

/** Which transactions were over at some moment. */
const snapshot = customType<{ data: string }>({ dataType: () => 'pg_snapshot' });

/**
 * Entities whose rows changed. Triggers fill it, so that an API write, psql, a bulk load and a crash right after a commit are all
 * covered. Each cache domain reads it up to a position of its own, and what all have read is removed. The number orders the changes of
 * one transaction: over several it says nothing, since transactions do not end in the order in which they took their numbers.
 */
export const cacheOutbox = pgTable(
  'cache_outbox',
  {
    number: id('number').notNull().generatedAlwaysAsIdentity({ name: 'cache_outbox_seq_seq' }),
    entity: text('entity').notNull(),
    /** The text of the row's key. */
    entityId: text('entity_id').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, mode: 'string' })
      .notNull()
      .default(sql`clock_timestamp()`),
    xid: xid8('xid').notNull().default(sql`pg_current_xact_id()`),
  },
  (t) => [primaryKey({ name: 'cache_outbox_pkey', columns: [t.xid, t.number] })],
);

/**
 * Who reads the outbox, and how far: each cache domain, which is one run of Redis with one prefix, and under the id of zeros the
 * cleaner, which follows all others and removes what it reads.
 */
export const cacheDomains = pgTable('cache_domains', {
  id: uuid('id').primaryKey(),
  /** Which database the domain was registered in: a copy has the row, but is another one. */
  database: text('database').notNull(),
  /** The run of Redis. */
  run: text('run').notNull(),
  /** Begins anew when something may have been missed. */
  generation: uuid('generation').notNull(),
  /** What Redis holds, too, turned over again and again: an outdated copy of this row does not have it. */
  token: text('token').notNull(),
  previousToken: text('previous_token').notNull(),
  turn: bigint('turn', { mode: 'bigint' }).$type<string>().notNull(),
  turnedAt: timestamp('turned_at', { withTimezone: true, mode: 'string' }).notNull(),
  /** What has been read; `null` when the domain has not been seen for so long that it has to begin anew. */
  position: snapshot('position'),
  /** When that was. */
  drainedAt: timestamp('drained_at', { withTimezone: true, mode: 'string' }).notNull(),
  /** Up to where the reading under way goes, since when, and how far it has come. */
  target: snapshot('target'),
  targetAt: timestamp('target_at', { withTimezone: true, mode: 'string' }),
  reachedXid: xid8('reached_xid').notNull(),
  reachedNumber: id('reached_number').notNull(),
});
