import { askHolder, type Holder, holdersOf } from './cluster/sources.ts';
import type { RedisSource } from './redis/source.ts';

/** How many keys Redis scans in one step. */
const STEP = 1000;

/**
 * Removes all bodies and leases of some kinds of entities from Redis, and the mark of the database that they belonged to.
 *
 * @param source where Redis is, or a cluster
 * @param prefix comes before the keys
 * @param entities the names of the entities
 * @param onProgress told how many were removed so far
 * @returns how many were removed
 * @throws {RedisUnavailable} when Redis does not answer or refuses
 */
export async function removeKeys(
  source: RedisSource,
  prefix: string,
  entities: readonly string[],
  onProgress: (removed: number) => void = () => {},
): Promise<number> {
  let removed = 0;
  for (const holder of await holdersOf(source, prefix)) {
    const before = removed;
    removed += await removeFrom(holder, prefix, entities, (here) => onProgress(before + here));
  }
  return removed;
}

function removeFrom(
  holder: Holder,
  prefix: string,
  entities: readonly string[],
  onProgress: (removed: number) => void,
): Promise<number> {
  return askHolder(holder, async (redis) => {
    let removed = 0;
    for (const entity of entities) {
      const match = `${escapePattern(prefix)}${escapePattern(entity)}-*`;
      let cursor = '0';
      do {
        const [next, keys] = await redis.scan(cursor, 'MATCH', match, 'COUNT', STEP);
        // One by one: on a cluster they are of many slots.
        const gone = await Promise.all(keys.map((key) => redis.unlink(key)));
        removed += gone.reduce((sum, count) => sum + count, 0);
        onProgress(removed);
        cursor = next;
      } while (cursor !== '0');
    }
    // The database of this Redis sets its mark again. A restored one takes a Redis without a mark.
    await redis.unlink(holder.names.domain, holder.names.heartbeat);
    return removed;
  });
}

/** Makes a pattern that matches only a given text. */
function escapePattern(text: string): string {
  return text.replaceAll(/[\\*?[\]^]/g, '\\$&');
}
