import { openRedis, type RedisSource } from './source.ts';

/** How many keys Redis scans in one step. */
const STEP = 1000;

/**
 * Removes all bodies and leases of some kinds of entities from Redis, and the mark of the database that they belonged to.
 *
 * @param source where Redis is
 * @param prefix comes before the keys
 * @param entities the names of the entities
 * @param onProgress told how many were removed so far
 * @returns how many were removed
 * @throws when Redis does not answer or refuses
 */
export async function removeKeys(
  source: RedisSource,
  prefix: string,
  entities: readonly string[],
  onProgress: (removed: number) => void = () => {},
): Promise<number> {
  const redis = openRedis(source, { maxRetriesPerRequest: 1, connectTimeout: 5000, lazyConnect: true });
  // Each command throws its own error.
  redis.on('error', () => {});
  try {
    await redis.connect();
    let removed = 0;
    for (const entity of entities) {
      const match = `${escapePattern(prefix)}${escapePattern(entity)}-*`;
      let cursor = '0';
      do {
        const [next, keys] = await redis.scan(cursor, 'MATCH', match, 'COUNT', STEP);
        if (keys.length > 0) removed += await redis.unlink(keys);
        onProgress(removed);
        cursor = next;
      } while (cursor !== '0');
    }
    // The database of this Redis sets its mark again. A restored one takes a Redis without a mark.
    await redis.unlink(`${prefix}larder:domain`, `${prefix}larder:heartbeat`);
    return removed;
  } finally {
    redis.disconnect();
  }
}

/** Makes a pattern that matches only a given text. */
function escapePattern(text: string): string {
  return text.replaceAll(/[\\*?[\]^]/g, '\\$&');
}
