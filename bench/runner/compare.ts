import { checkEqual, readCursors } from './check.ts';
import type { Cores } from './machine.ts';
import { measure, type Sample } from './measure.ts';
import type { Mode } from './mode.ts';
import { PEERS, type Peer, peerOf, queriesOf } from './peers.ts';
import { SIZES } from './queries.ts';
import { type ColdStart, medianOf, type Results } from './results.ts';
import { type Server, startServer } from './server.ts';
import type { Stores } from './stores.ts';
import type { Teardown } from './teardown.ts';
import { type Pool, requestsOf, TRAFFIC, type Traffic } from './traffic.ts';

/** What is measured on. */
export interface Bench {
  readonly mode: Mode;
  readonly cores: Cores | null;
  readonly stores: Stores;
  readonly database: string;
  readonly pool: Pool;
  readonly say: (line: string) => void;
}

/** Servers that are started once more, for a cold cache, get a Redis database of their own. */
const COLD_REDIS = 16;

/**
 * Measures all peers with all traffic, in turns: within a round every peer gets the same traffic right after the other.
 *
 * @param bench what to measure on
 * @param teardown gets what stops the servers
 * @returns the samples
 */
export async function compare(bench: Bench, teardown: Teardown): Promise<Pick<Results, 'samples' | 'rounds' | 'cold'>> {
  const { mode, stores, database, pool, say } = bench;
  const servers = await Promise.all(
    mode.peers.map(peerOf).map(async (peer, i) => {
      const addresses = { databaseUrl: stores.databaseUrl(database), redisUrl: stores.redisUrl(i) };
      const server = await startServer(peer, bench.cores, addresses);
      teardown.push(() => server.stop());
      return server;
    }),
  );
  say(`Started ${servers.length} servers.`);
  const cursors = new Map<Server, ReadonlyMap<string, string>>();
  for (const server of servers) cursors.set(server, await readCursors(server));
  const sql = stores.connect(database);
  say(`All peers answer the same: ${await checkEqual(servers, cursors, pool, sql)} answers compared.`);
  for (const server of servers) server.pause();

  const samples: Partial<Record<Traffic, Partial<Record<Peer['name'], Sample[]>>>> = {};
  let rounds = 0;
  for (; rounds < mode.rounds && (rounds === 0 || process.uptime() < mode.lastRoundAt); rounds++) {
    // What was written in the round before has left dead rows.
    await sql`vacuum analyze events, cache_outbox`;
    for (const traffic of mode.traffic) {
      // Each round begins with another peer, so that none always comes first.
      for (const server of rotated(servers, rounds)) {
        if (!takes(server.peer, traffic)) continue;
        const seed = rounds * 100 + TRAFFIC.indexOf(traffic);
        const warmUpSeconds = warmUpOf(mode, traffic, rounds);
        const sample = await turn(bench, server, traffic, cursors.get(server) ?? new Map(), seed, warmUpSeconds);
        const { [server.peer.name]: earlier = [] } = samples[traffic] ?? {};
        samples[traffic] = { ...samples[traffic], [server.peer.name]: [...earlier, sample] };
        const errors = sample.errors > 0 ? `, ${sample.errors} ERRORS` : '';
        say(
          `  ${rounds + 1}  ${traffic.padEnd(11)}  ${server.peer.name.padEnd(18)}  ${sample.perSecond.toFixed(0).padStart(6)}/s${errors}`,
        );
      }
    }
  }
  const cold: Partial<Record<Peer['name'], ColdStart>> = {};
  for (const server of servers) {
    if (!mode.whole || !takes(server.peer, 'random')) continue;
    // What has a target is a median, here as elsewhere.
    const starts: ColdStart[] = [];
    while (starts.length < (server.peer.kind === 'larder' ? mode.coldStarts : 1)) {
      starts.push(await coldStart(bench, server.peer, cursors.get(server) ?? new Map()));
    }
    cold[server.peer.name] = medianStart(starts);
    say(`  cold start   ${server.peer.name.padEnd(18)}  ${cold[server.peer.name]?.perSecond.toFixed(0).padStart(6)}/s`);
  }
  for (const server of servers) await server.stop();
  return { samples, rounds, cold };
}

/** Whether a peer can be asked all that a kind of traffic has. */
function takes(peer: Peer, traffic: Traffic): boolean {
  const queries = queriesOf(peer);
  return traffic === 'mix' ? queries.includes('random') && queries.includes('mutation') : queries.includes(traffic);
}

/** One peer's turn: the others stand still. */
async function turn(
  bench: Bench,
  server: Server,
  traffic: Traffic,
  cursors: ReadonlyMap<string, string>,
  seed: number,
  warmUpSeconds: number,
): Promise<Sample> {
  const { mode, stores, database, pool } = bench;
  await server.resume();
  try {
    // What is measured was not asked for a moment ago, to warm up.
    const requests = (phase: string) =>
      requestsOf(server.peer, traffic, pool, cursors, mode.connections, phase === 'measured' ? seed : -1 - seed);
    if (server.peer.kind === 'finished answer' && server.peer.sessions !== true) {
      for (const { body = '', ...request } of distinct(requests('measured').flat()))
        await server.ask({ ...request, body });
    }
    const run = { server, stores, database, connections: mode.connections, requests };
    const { seconds } = mode;
    const measured = () => measure({ ...run, warmUpSeconds, seconds });
    return await (traffic === 'mix' && server.peer.kind !== 'larder' ? withoutOutbox(bench, measured) : measured());
  } finally {
    server.pause();
  }
}

/** The reads among some requests, each once. */
function distinct<R extends { readonly body?: string }>(requests: readonly R[]): R[] {
  const reads = requests.filter((request) => !request.body?.includes('mutation'));
  return [...new Map(reads.map((request) => [request.body, request])).values()];
}

/** The triggers that fill Larder's outbox are no cost of the other peers. */
async function withoutOutbox<T>({ stores, database }: Bench, action: () => Promise<T>): Promise<T> {
  const sql = stores.connect(database);
  await sql`alter table events disable trigger user`;
  try {
    return await action();
  } finally {
    await sql`alter table events enable trigger user`;
    await sql.end();
  }
}

/** Starts a peer anew, on an empty Redis, and counts what it answers from its first request on. */
async function coldStart(bench: Bench, peer: Peer, cursors: ReadonlyMap<string, string>): Promise<ColdStart> {
  const { mode, stores, database, pool } = bench;
  const redisUrl = stores.redisUrl(COLD_REDIS + PEERS.indexOf(peer));
  const addresses = { databaseUrl: stores.databaseUrl(database), redisUrl };
  const env = peer.kind === 'larder' ? { CACHE_PREFIX: 'cold:' } : {};
  const server = await startServer(peer, bench.cores, addresses, { env });
  try {
    const { connections, coldSeconds } = mode;
    const seconds = peer.kind === 'larder' ? coldSeconds.larder : coldSeconds.others;
    const requests = () => requestsOf(peer, 'random', pool, cursors, connections, 7);
    const { perSecond, eachSecond, errors } = await measure({
      ...{ server, stores, database, connections, seconds, requests },
      warmUpSeconds: 0,
    });
    return { perSecond, eachSecond, errors };
  } finally {
    await server.stop();
  }
}

/** Of several cold starts the median of each second; all of their errors. */
function medianStart(starts: readonly ColdStart[]): ColdStart {
  const median = (pick: (start: ColdStart) => number) => medianOf(starts.map(pick).toSorted((a, b) => a - b));
  return {
    perSecond: median(({ perSecond }) => perSecond),
    eachSecond: (starts[0]?.eachSecond ?? []).map((_second, i) => median(({ eachSecond }) => eachSecond[i] ?? 0)),
    errors: starts.reduce((sum, { errors }) => sum + errors, 0),
  };
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const first = (by * 3) % list.length;
  return [...list.slice(first), ...list.slice(0, first)];
}

/**
 * Random pages are made of thirty thousand bodies, which whoever caches has to read once, and a process that has stood still for
 * minutes takes seconds until each second of them is as quick as the next. How long that takes is what a cold start shows.
 */
function warmUpOf({ firstWarmUpSeconds, warmUpSeconds }: Mode, traffic: Traffic, round: number): number {
  if (traffic === 'random') return round === 0 ? 2 * firstWarmUpSeconds : firstWarmUpSeconds;
  return round === 0 ? firstWarmUpSeconds : warmUpSeconds;
}

/**
 * @param mode how much data there is
 * @returns what traffic may ask for
 */
export function poolOf({ data }: Pick<Mode, 'data'>): Pool {
  return { ...data, pageSize: SIZES.nested.campaigns };
}
