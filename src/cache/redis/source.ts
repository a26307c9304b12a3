import { Redis, type RedisOptions } from 'ioredis';
import { WrongValue } from '../../wrong-value.ts';
import { parseRedisUrl } from './url.ts';

/** How a client behaves. */
export type RedisClientOptions = Omit<RedisOptions, 'replyMapping'>;

/** Where Redis is: its address, or what makes a client of ioredis that is there. */
export type RedisSource = string | ((options: RedisClientOptions) => Redis);

/** What no connection of ours has, whatever a client of somebody's has: keys are whole, and commands are there to be sent. */
const OURS: RedisClientOptions = { keyPrefix: '', lazyConnect: false };

/**
 * @param source where Redis is
 * @param options how the client has to behave
 * @returns a client, which connects in the background unless the options say otherwise
 * @throws {WrongValue} when what was made does not behave so
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
