import type { EntityCache } from '../cache/entity-cache.ts';
import type { CatalogWatch } from '../entity/catalog-watch.ts';
import type { SelfAudit } from '../outbox/self-audit.ts';
import type { Database } from '../postgres/client.ts';

/** What every repository goes through. */
export interface Storage {
  readonly database: Database;
  readonly cache: EntityCache;
  /** Told when a committed write could not be told to Redis; the outbox then does it later. */
  readonly onInvalidationFailed: (error: Error) => void;
  /** Checks some of what caches answer; left out where nobody wants to know. */
  readonly audit?: SelfAudit;
  /** Knows when tables change; without it they are taken to stay as they are. */
  readonly catalog?: Pick<CatalogWatch, 'follow' | 'isCurrent'>;
}
