import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readCursors } from '../check.ts';
import type { Bench } from '../compare.ts';
import { measure, type Sample } from '../measure.ts';
import { type Peer, peerOf } from '../peers.ts';
import type { Cursors } from '../queries.ts';
import { type Server, startServer } from '../server.ts';
import type { Teardown } from '../teardown.ts';
import { requestsOf, type Traffic } from '../traffic.ts';

/** The Larders that are compared: what differs is what they do about inspection. */
export const VARIANTS = ['uncounted', 'off', 'header'] as const;

/** One of them. */
export type Variant = (typeof VARIANTS)[number];

/** The figures of one kind of traffic: one sample a round of each variant. */
export type Samples = Readonly<Record<Variant, readonly Sample[]>>;

/** Nothing is quicker than a page and an entity from memory: where least is done, counting weighs most. */
const MEASURED: readonly Traffic[] = ['nested', 'byId'];
/** How fast one process is depends on luck, too, as on how its code was compiled: so all of them are started anew some times. */
const STARTS = { full: 5, quick: 2 };
const ROUNDS = 3;
const WARM_UP_SECONDS = { first: 3, others: 0.5 };
const SECONDS = 2;

/** The Redis database of the first of these servers. */
const REDIS = 24;

/** An audit is drawn by chance, and reads. */
const ENV = { SELF_AUDIT_RATE: '0' };
const DIFFERENCE: Readonly<
  Record<Variant, { readonly env: Readonly<Record<string, string>>; readonly flags: readonly string[] }>
> = {
  uncounted: { env: { INSPECT: 'off' }, flags: ['--import', fileURLToPath(new URL('uncounted.js', import.meta.url))] },
  off: { env: { INSPECT: 'off' }, flags: [] },
  header: { env: { INSPECT: 'header' }, flags: [] },
};

const LARDER: Peer = peerOf('larder');

/**
 * Measures what it costs that requests could be inspected, when none is. The variants take turns, and each round begins with
 * another, so that whatever slows the machine for a while slows all of them.
 *
 * @param bench what to measure on
 * @param teardown gets what stops the servers
 * @returns the samples of each kind of traffic
 */
export async function measureOverhead(bench: Bench, teardown: Teardown): Promise<Partial<Record<Traffic, Samples>>> {
  const found: Partial<Record<Traffic, Samples>> = {};
  for (const traffic of MEASURED) {
    const samples: Record<Variant, Sample[]> = { uncounted: [], off: [], header: [] };
    for (let start = 0; start < STARTS[bench.mode.name]; start += 1) {
      const servers = await startVariants(bench, start, teardown);
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const { variant, server, cursors } of rotated(servers, round)) {
          const sample = await turn(bench, server, traffic, cursors, round);
          samples[variant].push(sample);
          const [count, rate] = [String(samples[variant].length), sample.perSecond.toFixed(0)];
          bench.say(`  ${count.padStart(2)}  ${traffic.padEnd(8)}  ${variant.padEnd(10)}  ${rate.padStart(6)}/s`);
        }
      }
      for (const { server } of servers) await server.stop();
    }
    found[traffic] = samples;
  }
  return found;
}

interface Started {
  readonly variant: Variant;
  readonly server: Server;
  readonly cursors: Cursors;
}

/** Starts all variants, each time another one first, and lets them stand still. */
async function startVariants(bench: Bench, start: number, teardown: Teardown): Promise<Started[]> {
  const started: Started[] = [];
  for (const variant of rotated(VARIANTS, start)) {
    const { env, flags } = DIFFERENCE[variant];
    const addresses = {
      databaseUrl: bench.stores.databaseUrl(bench.database),
      redisUrl: bench.stores.redisUrl(REDIS + started.length),
    };
    const server = await startServer(LARDER, bench.cores, addresses, { env: { ...ENV, ...env }, flags });
    teardown.push(() => server.stop());
    started.push({ variant, server, cursors: await readCursors(server) });
  }
  // The first heartbeat comes with the first round of the drainer.
  await sleep(500);
  for (const { server } of started) server.pause();
  return started;
}

function rotated<T>(all: readonly T[], by: number): T[] {
  const first = by % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}

/** One variant's turn: the others stand still. */
async function turn(
  { mode, stores, database, pool }: Bench,
  server: Server,
  traffic: Traffic,
  cursors: Cursors,
  round: number,
): Promise<Sample> {
  await server.resume();
  try {
    return await measure({
      ...{ server, stores, database, connections: mode.connections, seconds: SECONDS },
      warmUpSeconds: round === 0 ? WARM_UP_SECONDS.first : WARM_UP_SECONDS.others,
      // The same in each round: what is compared is one request, asked again and again.
      requests: () => requestsOf({ peer: LARDER, traffic, pool, cursors, connections: mode.connections, seed: 1 }),
    });
  } finally {
    server.pause();
  }
}
