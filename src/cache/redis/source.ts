import { Redis, type RedisOptions } from 'ioredis';
import { WrongValue } from '../../wrong-value.ts';
import { parseRedisUrl } from './url.ts';

/** How a client behaves. */
export type RedisClientOptions = Omit<RedisOptions, 'replyMapping'>;

/** Where Redis is: its URL, or a function that makes a client of ioredis. */
export type RedisSource = string | ((options: RedisClientOptions) => Redis);

/**
 * Options that every connection of Larder has, whatever a user's client has. Keys have no prefix of ioredis, and commands are sent at once.
 */
const OURS: RedisClientOptions = { keyPrefix: '', lazyConnect: false };

/**
 * @param source where Redis is
 * @param options how the client has to behave
 * @returns a client, which connects in the background unless the options say otherwise
 * @throws {WrongValue} when the function's client ignores the options
 */
export function openRedis(source: RedisSource, options: RedisClientOptions): Redis {
  if (typeof source === 'string') return new Redis({ ...parseRedisUrl(source), ...options });
  const client = source({ ...OURS, ...options });
  if (client.isCluster) {
    client.disconnect();
    throw new WrongValue('made a client of a cluster, and Larder needs a single Redis');
  }
  for (const [name, value] of Object.entries(options)) {
    if (client.options[name as keyof RedisOptions] === value) continue;
    client.disconnect();
    throw new WrongValue(
      `made a client without the option ${name} that it was given: end with them, as in (options) => new Redis({ sentinels, name, ...options })`,
    );
  }
  return client;
}
