import { sql } from 'drizzle-orm';
import { statement } from '../postgres/statement.ts';
import type { Change } from './outbox.ts';

/** The first `most` changes of the transaction that asks. Deferred triggers run before the answer. */
export const ownChanges = statement<Change>(
  'CacheOutbox.own',
  sql`select entity, id::text as id from cache_outbox_own(${sql.placeholder('most')}::bigint)`,
);
