import type { Bench } from '../compare.ts';
import { type Outcome, run } from '../load.ts';
import { peerOf } from '../peers.ts';
import { startServer } from '../server.ts';
import { requestsOf } from '../traffic.ts';

/**
 * Starts a Larder of its own that is asked the nested query.
 *
 * @param bench what to measure on
 * @param name comes before its keys
 * @param redis its Redis database, whose number also seeds what is asked
 * @returns the server, and what asks it for some seconds
 */
export async function nestedServer({ cores, database, mode, pool, stores }: Bench, name: string, redis: number) {
  const peer = peerOf('larder');
  const { connections } = mode;
  const addresses = { databaseUrl: stores.databaseUrl(database), redisUrl: stores.redisUrl(redis) };
  const server = await startServer(peer, cores, addresses, { env: { CACHE_PREFIX: `${name}:` } });
  const requests = requestsOf({ peer, traffic: 'nested', pool, cursors: new Map(), connections, seed: redis });
  const ask = (seconds: number): Promise<Outcome> => run({ url: server.url, connections, seconds, requests });
  return { server, ask };
}
