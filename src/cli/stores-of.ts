import type { Config } from '../app/config.ts';
import type { Stores } from '../commands/forget.ts';

/**
 * @param config the settings of the campaigns server
 * @returns where its stores are
 */
export function storesOf({ database, cache }: Config): Stores {
  const { url: postgres, statementTimeoutMs } = database;
  return { postgres, statementTimeoutMs, redis: cache.redisUrl, prefix: cache.prefix };
}
