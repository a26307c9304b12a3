import { sql } from 'drizzle-orm';
import { statement } from '../postgres/statement.ts';
import type { Change } from './outbox.ts';

/** What the transaction that asks has changed, the first `most` of it; what is deferred to its end happens before. */
export const ownChanges = statement<Change>(
  'CacheOutbox.own',
  sql`select entity, id::text as id from cache_outbox_own(${sql.placeholder('most')}::bigint)`,
);
