import { setTimeout as sleep } from 'node:timers/promises';
import { readCursors } from './check.ts';
import type { Bench } from './compare.ts';
import { run } from './load.ts';
import { peerOf } from './peers.ts';
import type { Restart } from './results.ts';
import { startServer } from './server.ts';
import { requestsOf } from './traffic.ts';

/** What happens to the cache of which server. */
const EVENTS = [
  { peer: 'larder', what: 'Redis killed and started anew' },
  { peer: 'larder-redis-only', what: 'Redis killed and started anew' },
  { peer: 'larder-redis-only', what: 'Redis emptied' },
] as const;

/** The Redis database of these servers. */
const REDIS = 31;

/**
 * Takes Larder's Redis away, or what is in it, while it answers random pages.
 *
 * @param bench what to measure on
 * @returns how many requests were answered in each second
 */
export async function restarts(bench: Bench): Promise<Restart[]> {
  const found: Restart[] = [];
  for (const event of EVENTS) found.push(await restart(bench, event));
  return found;
}

async function restart(bench: Bench, { peer: name, what }: (typeof EVENTS)[number]): Promise<Restart> {
  const { mode, stores, database, pool } = bench;
  const { before, down, after } = mode.restartSeconds;
  const peer = peerOf(name);
  const addresses = { databaseUrl: stores.databaseUrl(database), redisUrl: stores.redisUrl(REDIS) };
  const server = await startServer(peer, bench.cores, addresses, { env: { CACHE_PREFIX: `${name}:` } });
  try {
    const { connections } = mode;
    const cursors = await readCursors(server);
    const requests = requestsOf({ peer, traffic: 'random', pool, cursors, connections, seed: 11 });
    // Until the code is compiled and the cache filled, the rate before would be too low to compare with.
    await run({ url: server.url, connections, seconds: before, requests });
    const emptied = what === 'Redis emptied';
    const happening = (async () => {
      await sleep(before * 1000);
      if (emptied) return stores.flushRedis();
      await stores.killRedis();
      await sleep(down * 1000);
      return stores.reviveRedis();
    })();
    const until = emptied ? before : before + down;
    const outcome = await run({ url: server.url, connections, seconds: until + after, requests });
    await happening;
    return {
      title: `${peer.title}: ${what}`,
      eachSecond: outcome.eachSecond,
      from: before,
      until,
      errors: outcome.errors,
    };
  } finally {
    await server.stop();
  }
}
