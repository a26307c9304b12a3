import type { Cluster, RedisOptions } from 'ioredis';
import { WrongValue } from '../../wrong-value.ts';

/** Where something listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where a cluster is, and as whom to ask its nodes. */
export interface ClusterPlace {
  /** Some of its nodes: these know the others. */
  readonly seeds: readonly Address[];
  /** The account and TLS, the same for each node. */
  readonly account: Readonly<Omit<RedisOptions, 'replyMapping'>>;
  /** Where a node is for us that tells the cluster that it is elsewhere. It may throw: a user's `natMap` may know no such node. */
  readonly reach: (address: Address) => Address;
}

/** The nodes that a client begins with: ioredis keeps them to itself. */
interface Begun {
  readonly startupNodes: readonly (string | number | Partial<Address>)[];
}

/** What is asked of a single Redis was asked of an address of a cluster, which is known by that. */
export class OfCluster extends WrongValue {
  readonly place: ClusterPlace;

  /** @param place where the cluster is */
  constructor(place: ClusterPlace) {
    super('expected a single Redis, and not a cluster');
    this.place = place;
  }
}

/**
 * @param cluster a client of somebody's
 * @returns where it leads, so that connections of our own can be made
 * @throws {WrongValue} when it names no node
 */
export function placeOf(cluster: Cluster): ClusterPlace {
  const { redisOptions: account = {}, natMap } = cluster.options;
  const seeds = (cluster as unknown as Begun).startupNodes.map(addressOf);
  if (seeds.length === 0) throw new WrongValue('made a client of a cluster without a node');
  const reach = (address: Address): Address => {
    const named = `${address.host}:${address.port}`;
    return (typeof natMap === 'function' ? natMap(named) : natMap?.[named]) ?? address;
  };
  return { seeds, account, reach };
}

/** As ioredis takes it: an address, a port, or a URL. */
function addressOf(node: string | number | Partial<Address>): Address {
  if (typeof node === 'object') return { host: node.host ?? '127.0.0.1', port: node.port ?? 6379 };
  if (typeof node === 'number') return { host: '127.0.0.1', port: node };
  const url = URL.parse(node.includes('://') ? node : `redis://${node}`);
  if (url === null) throw new WrongValue('made a client of a cluster with a node that is no address');
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 6379) };
}
