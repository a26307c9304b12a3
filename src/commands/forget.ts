import type { RedisSource } from '../cache/redis/source.ts';
import { removeKeys } from '../cache/remove-keys.ts';
import { renewAllDomains } from '../outbox/domains.ts';
import { openDatabase } from '../postgres/client.ts';
import type { PostgresSource } from '../postgres/source.ts';

/** Where a Larder's stores are. */
export interface Stores {
  readonly postgres: PostgresSource;
  /** After this time a statement is cancelled, in milliseconds. */
  readonly statementTimeoutMs: number;
  /** `null` where there is no Redis. */
  readonly redis: RedisSource | null;
  /** Comes before every key in Redis. */
  readonly prefix: string;
}

/**
 * Makes every process forget what it has cached.
 *
 * @param stores where to forget
 * @param entities the names of the entities
 * @param say receives a line for each step
 * @throws {DatabaseUnavailable} when Postgres does not answer
 * @throws {RedisUnavailable} when Redis does not
 */
export async function forgetEverything(
  { postgres, statementTimeoutMs, redis, prefix }: Stores,
  entities: readonly string[],
  say: (line: string) => void,
): Promise<void> {
  // Redis comes first. A process that has emptied its memory must not read the old bodies from Redis again.
  if (redis === null) say('No REDIS_URL: there is no Redis to empty.');
  else say(`Removed ${await removeKeys(redis, prefix, entities)} bodies from Redis.`);
  const opened = openDatabase({ url: postgres, statementTimeoutMs, poolSize: 1 });
  try {
    const domains = await renewAllDomains(opened);
    say(`Told all processes to forget what is in their memory (${domains} cache domains).`);
  } finally {
    await opened.close();
  }
}
