import type { EntityCache } from '../cache/entity-cache.ts';
import type { CatalogWatch } from '../entity/catalog-watch.ts';
import type { SelfAudit } from '../outbox/self-audit.ts';
import type { Database } from '../postgres/client.ts';
import type { Replicas } from '../postgres/replicas.ts';

/** The stores and services that every repository uses. */
export interface Storage {
  readonly database: Database;
  /** Where lists may be read beside the primary; left out where there are none. */
  readonly replicas?: Replicas;
  readonly cache: EntityCache;
  /** Told when Redis did not take the invalidation of a committed write. The outbox then does it later. */
  readonly onInvalidationFailed: (error: Error) => void;
  /** Checks some of what caches answer; left out for no checks. */
  readonly audit?: SelfAudit;
  /** Knows when tables change. Without it, tables are assumed not to change. */
  readonly catalog?: Pick<CatalogWatch, 'follow' | 'isCurrent'>;
}
