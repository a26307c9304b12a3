import { sql } from 'drizzle-orm';
import { bigint, customType, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { bigintText as id } from '../postgres/column-types.ts';

/** The id of a transaction, which never wraps around. */
const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' });

/** Which transactions were over at some moment. */
const snapshot = customType<{ data: string }>({ dataType: () => 'pg_snapshot' });

/**
 * The entities whose rows changed. Triggers fill it, so it covers an API write, psql, a bulk load and a crash right after a commit alike.
 * Each cache domain reads it up to a position of its own. What all domains have read is removed.
 *
 * `number` orders the changes of one transaction. It says nothing about changes of several, since transactions do not end in the order in
 * which they took their numbers.
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
 * Who reads the outbox, and how far. Each cache domain, which is one run of Redis with one prefix, has a row. The cleaner has the id of
 * zeros: it follows all others, and removes what they have read.
 */
export const cacheDomains = pgTable('cache_domains', {
  id: uuid('id').primaryKey(),
  /** The database that the domain was registered in. A copy of it has the row, but is another database. */
  database: text('database').notNull(),
  /** The run of Redis. */
  run: text('run').notNull(),
  /** Changes when an invalidation may have been missed. */
  generation: uuid('generation').notNull(),
  /** The token that Redis holds, too. It is rotated again and again, so that an outdated copy of this row does not have it. */
  token: text('token').notNull(),
  previousToken: text('previous_token').notNull(),
  turn: bigint('turn', { mode: 'bigint' }).$type<string>().notNull(),
  turnedAt: timestamp('turned_at', { withTimezone: true, mode: 'string' }).notNull(),
  /** What has been read; `null` for a retired domain, which has to begin anew. */
  position: snapshot('position'),
  /** When everything up to `position` was read. */
  drainedAt: timestamp('drained_at', { withTimezone: true, mode: 'string' }).notNull(),
  /** The reading under way: up to which snapshot, since when, and how far it has come. */
  target: snapshot('target'),
  targetAt: timestamp('target_at', { withTimezone: true, mode: 'string' }),
  reachedXid: xid8('reached_xid').notNull(),
  reachedNumber: id('reached_number').notNull(),
});
