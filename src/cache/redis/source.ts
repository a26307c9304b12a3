import { type Cluster, Redis, type RedisOptions } from 'ioredis';
import { WrongValue } from '../../wrong-value.ts';
import { type Address, type ClusterPlace, OfCluster, placeOf } from './cluster-place.ts';
import { guardReplies } from './guard.ts';
import { parseRedisUrl } from './url.ts';

/** How a client behaves. */
export type RedisClientOptions = Omit<RedisOptions, 'replyMapping'>;

/** Where Redis is: its URL, a function that makes a client of ioredis, or a cluster. */
export type RedisSource = string | ((options: RedisClientOptions) => Redis | Cluster) | ClusterPlace;

/**
 * Options that every connection of Larder has, whatever a user's client has. Keys have no prefix of ioredis, commands are sent at once, and
 * numbers are numbers.
 */
const OURS: RedisClientOptions = {
  keyPrefix: '',
  lazyConnect: false,
  enableAutoPipelining: false,
  stringNumbers: false,
};

/**
 * @param timeoutMs how long a round trip may take, in milliseconds
 * @returns how long a connection may take to be made, in milliseconds: as long as a round trip, and a second at least, since a process that
 *   stands still meanwhile finds that time over though Redis has answered
 */
export function connectTimeoutMs(timeoutMs: number): number {
  return Math.max(1000, timeoutMs);
}

/**
 * @param source where Redis is
 * @param options how the client has to behave
 * @returns a client, which connects in the background unless the options say otherwise
 * @throws {OfCluster} when it is a cluster
 * @throws {WrongValue} when the function's client ignores the options
 */
export function openRedis(source: RedisSource, options: RedisClientOptions): Redis {
  if (typeof source === 'object') throw new OfCluster(source);
  if (typeof source === 'string') {
    const address = parseRedisUrl(source);
    if (!('cluster' in address)) return guardReplies(new Redis({ ...address, ...options }));
    const { cluster: seeds, ...account } = address;
    throw new OfCluster({ seeds, account, reach: (node) => node });
  }
  const client = source({ ...OURS, ...options });
  if (isOfCluster(client)) {
    const place = placeOf(client);
    client.disconnect();
    throw new OfCluster(place);
  }
  for (const [name, value] of Object.entries(options)) {
    if (client.options[name as keyof RedisOptions] === value) continue;
    client.disconnect();
    throw new WrongValue(
      `made a client without the option ${name} that it was given: end with them, as in (options) => new Redis({ sentinels, name, ...options })`,
    );
  }
  return guardReplies(client);
}

/**
 * @param client a client of ioredis
 * @returns whether it is one of a cluster
 */
export function isOfCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster;
}

/**
 * @param place where a cluster is
 * @param address where one of its nodes is, as the cluster says
 * @returns that node as a Redis
 * @throws what the place's `reach` throws, which may be a function of somebody's
 */
export function sourceOfNode({ account, reach }: ClusterPlace, address: Address): RedisSource {
  const reached = reach(address);
  return (options) => new Redis({ ...account, ...options, ...reached, db: 0 });
}
