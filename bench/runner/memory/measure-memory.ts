import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../../../src/cli/services/port.ts';
import { readCursors } from '../check.ts';
import type { Bench } from '../compare.ts';
import { peerOf } from '../peers.ts';
import { residentMiB } from '../process-time.ts';
import { SIZES } from '../queries.ts';
import { startServer } from '../server.ts';

/** How much Larder may keep in memory, and when its size is looked at: after so many entities were asked for. */
export const BOUND_MIB = 256;
const LOOKED_AT = [0, 100_000, 200_000];

/** Campaigns on a page, each with its events. */
const PAGE = 100;
const ENTITIES = PAGE * (1 + SIZES.nested.events);
/** How many fresh campaigns that takes. */
export const MEMORY_CAMPAIGNS = (Math.ceil(Math.max(...LOOKED_AT) / ENTITIES) + 1) * PAGE;

/** The Redis database of this server. */
const REDIS = 29;
/** Until what was left behind is collected. */
const SETTLE_MS = 1500;

/** What Larder holds after it was asked for so many entities. */
export interface Held {
  readonly asked: number;
  readonly entries: number;
  /** As Larder counts them. */
  readonly countedMiB: number;
  readonly residentMiB: number;
}

/**
 * Asks a Larder whose memory is bounded by bytes for ever more entities with bodies of 1,000 characters, and looks at its size.
 *
 * @param bench what to measure on; its database has `MEMORY_CAMPAIGNS` fresh campaigns at least
 * @returns what it holds at each size
 */
export async function measureMemory(bench: Bench): Promise<Held[]> {
  const { stores, database, pool } = bench;
  const host = '127.0.0.1';
  const metricsPort = await findFreePort(host);
  const addresses = { databaseUrl: stores.databaseUrl(database), redisUrl: stores.redisUrl(REDIS) };
  const env = {
    CACHE_PREFIX: 'memory:',
    METRICS_PORT: String(metricsPort),
    // Bytes alone are what bounds it.
    MEMORY_MAX_ENTRIES: '1000000',
    MEMORY_MAX_BYTES: String(BOUND_MIB * 2 ** 20),
  };
  const server = await startServer(peerOf('larder'), bench.cores, addresses, { env });
  try {
    const cursors = await readCursors(server);
    const found: Held[] = [];
    let asked = 0;
    for (const until of LOOKED_AT) {
      for (; asked < until; asked += ENTITIES) {
        const after = cursors.get(String(pool.freshAfter + (asked / ENTITIES) * PAGE));
        await server.ask({
          method: 'POST',
          path: '/graphql',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ query: QUERY, variables: { after } }),
        });
      }
      await sleep(SETTLE_MS);
      const metrics = await (await fetch(`http://${host}:${metricsPort}/metrics`)).text();
      const [entries, bytes] = [sumOf(metrics, 'larder_memory_entries'), sumOf(metrics, 'larder_memory_bytes')];
      found.push({ asked, entries, countedMiB: bytes / 2 ** 20, residentMiB: residentMiB(server.pid) });
      bench.say(`  memory       ${asked} entities asked for: ${residentMiB(server.pid)} MiB resident`);
    }
    return found;
  } finally {
    await server.stop();
  }
}

const QUERY = `query Memory($after: String) {
  campaigns(first: ${PAGE}, after: $after) { nodes { title events(first: ${SIZES.nested.events}) { nodes { title } } } }
}`;

/** The sum over all labels of a metric in Prometheus' text format. */
function sumOf(metrics: string, name: string): number {
  const values = [...metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
  if (values.length === 0) throw new Error(`Larder has no metric ${name}.`);
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}
