import { addedAfter } from './added-data.ts';
import { checkEqual, readCursors } from './check.ts';
import type { Cores } from './machine.ts';
import { measure, type Sample } from './measure.ts';
import type { Mode } from './mode.ts';
import { PEERS, type Peer, peerOf, queriesOf } from './peers.ts';
import { type Cursors, SIZES } from './queries.ts';
import { type ColdStart, medianOf, type Results } from './results.ts';
import { type Server, startServer } from './server.ts';
import type { Stores } from './stores.ts';
import { HELD_COLD, isRepeated } from './targets.ts';
import type { Teardown } from './teardown.ts';
import {
  type Ask,
  freshCampaigns,
  freshRequestsOf,
  KINDS,
  type Pool,
  requestsOf,
  TRAFFIC,
  tourOf,
  type Traffic,
} from './traffic.ts';

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
const COLD_REDIS = 32;
/** The round before the first, which nobody counts. */
const BEFORE = -1;

/**
 * Measures all peers with all traffic, in turns: within a round every peer gets the same traffic right after the other. What caches do
 * not have yet is asked of servers of its own, so that it takes no room from what is warm.
 *
 * @param bench what to measure on
 * @param teardown gets what stops the servers
 * @returns the samples
 */
export async function compare(bench: Bench, teardown: Teardown): Promise<Pick<Results, 'samples' | 'rounds' | 'cold'>> {
  const { mode, say } = bench;
  const isWarm = (traffic: Traffic) => KINDS[traffic].caches === 'warm';
  const warm = await compareOf(bench, mode.traffic.filter(isWarm), mode.lastRoundAt.warm, teardown);
  const fresh = await compareOf(
    bench,
    mode.traffic.filter((traffic) => !isWarm(traffic)),
    mode.lastRoundAt.fresh,
    teardown,
  );
  const cold: Partial<Record<Peer['name'], ColdStart>> = {};
  for (const peer of mode.peers.map(peerOf)) {
    if (!mode.whole || !takes(peer, 'random')) continue;
    // What has a target is a median, here as elsewhere.
    const starts: ColdStart[] = [];
    while (starts.length < (HELD_COLD.includes(peer.name) ? mode.coldStarts : 1))
      starts.push(await coldStart(bench, peer));
    const start = medianStart(starts);
    cold[peer.name] = start;
    say(`  cold start   ${peer.name.padEnd(18)}  ${start.perSecond.toFixed(0).padStart(6)}/s`);
  }
  return { samples: { ...warm.samples, ...fresh.samples }, rounds: Math.max(warm.rounds, fresh.rounds), cold };
}

/** A server, its cursors, and how many of the campaigns that nobody had asked for it was asked for. */
interface Contestant {
  readonly server: Server;
  readonly cursors: Cursors;
  asked: number;
}

/** Measures some traffic, on servers that are started for it. */
async function compareOf(
  bench: Bench,
  kinds: readonly Traffic[],
  lastRoundAt: number,
  teardown: Teardown,
): Promise<Pick<Results, 'samples' | 'rounds'>> {
  const { mode, stores, database, pool, say } = bench;
  const peers = mode.peers.map(peerOf).filter((peer) => kinds.some((traffic) => takes(peer, traffic)));
  if (peers.length === 0) return { samples: {}, rounds: 0 };
  // Some peers do not hear what others wrote in the traffic before.
  await stores.flushRedis();
  const contestants: Contestant[] = await Promise.all(
    peers.map(async (peer, i) => {
      const addresses = { databaseUrl: stores.databaseUrl(database), redisUrl: stores.redisUrl(i) };
      const server = await startServer(peer, bench.cores, addresses);
      teardown.push(() => server.stop());
      return { server, cursors: await readCursors(server), asked: 0 };
    }),
  );
  say(`Started ${contestants.length} servers.`);
  const sql = stores.connect(database);
  const cursors = new Map(contestants.map((contestant) => [contestant.server, contestant.cursors]));
  const compared = await checkEqual([...cursors.keys()], cursors, pool, sql);
  say(`All peers answer the same: ${compared} answers compared.`);
  for (const { server } of contestants) server.pause();

  // A server that has just started takes several times as long, until V8 has compiled what it runs. Cold starts show that. All else is to
  // show what comes after it.
  say('Each peer is asked once what is measured below.');
  const unmeasured: Bench = { ...bench, mode: { ...mode, warmUpSeconds: 0 } };
  for (const contestant of contestants) {
    const asked = kinds.filter((traffic) => takes(contestant.server.peer, traffic));
    for (const traffic of asked) await turn(unmeasured, contestant, traffic, BEFORE);
  }

  const samples: Partial<Record<Traffic, Partial<Record<Peer['name'], Sample[]>>>> = {};
  let rounds = 0;
  for (; rounds < mode.rounds && (rounds === 0 || process.uptime() < lastRoundAt); rounds++) {
    // What was written in the round before has left dead rows.
    await sql`vacuum analyze events, cache_outbox`;
    for (const traffic of kinds) {
      // Each round begins with another peer, so that none always comes first.
      for (const contestant of rotated(contestants, rounds)) {
        const { peer } = contestant.server;
        if (!takes(peer, traffic) || (rounds > 0 && !isRepeated(peer.name, traffic))) continue;
        const sample = await turn(bench, contestant, traffic, rounds);
        const { [peer.name]: earlier = [] } = samples[traffic] ?? {};
        samples[traffic] = { ...samples[traffic], [peer.name]: [...earlier, sample] };
        const errors = sample.errors > 0 ? `, ${sample.errors} ERRORS` : '';
        const [rate, p50] = [sample.perSecond.toFixed(0).padStart(6), sample.p50.toFixed(2).padStart(7)];
        say(`  ${rounds + 1}  ${traffic.padEnd(11)}  ${peer.name.padEnd(18)}  ${rate}/s  p50 ${p50} ms${errors}`);
      }
    }
  }
  for (const { server } of contestants) await server.stop();
  return { samples, rounds };
}

/** Whether a peer can be asked all that a kind of traffic has. */
function takes(peer: Peer, traffic: Traffic): boolean {
  const { query, writes, peers } = KINDS[traffic];
  const queries = queriesOf(peer);
  if (peers !== undefined && !peers.includes(peer.name)) return false;
  return queries.includes(query) && (!writes || queries.includes('mutation'));
}

/** One peer's turn: the others stand still. */
async function turn(bench: Bench, contestant: Contestant, traffic: Traffic, round: number): Promise<Sample> {
  const { mode, stores, database, pool } = bench;
  const { server, cursors } = contestant;
  const { peer } = server;
  const { query, lone, caches, writes } = KINDS[traffic];
  const connections = lone ? 1 : mode.connections;
  const seed = (round - BEFORE) * 100 + TRAFFIC.indexOf(traffic);
  const ask: Ask = { peer, traffic, pool, cursors, connections, seed };
  const { warmUpSeconds } = mode;
  await server.resume();
  try {
    if (caches !== 'warm') {
      const { fill, measured } = freshRequestsOf(ask, contestant.asked);
      contestant.asked += freshCampaigns(traffic, pool.pageSize);
      // The code is what is warm: by pages that are none of these.
      const requests = (phase: string) => (phase === 'measured' ? [measured] : requestsOf(ask));
      const seconds = mode.freshSeconds;
      return await measure({
        ...{ server, stores, database, connections, seconds, requests, fill, warmUpSeconds },
        once: true,
      });
    }
    // What is measured was not asked for a moment ago, to warm up.
    const requests = (phase: string) => requestsOf({ ...ask, seed: phase === 'measured' ? seed : -1 - seed });
    if (peer.kind === 'finished answer' && peer.sessions !== true) {
      for (const { body = '', ...request } of distinct(requests('measured').flat()))
        await server.ask({ ...request, body });
    }
    // Large pages take slow peers most of a second: what was begun before the end and is answered after it would weigh too much.
    const seconds = lone ? mode.loneSeconds : mode.seconds * (query === 'wide' || query === 'heavy' ? 2 : 1);
    const fill = round === BEFORE ? [] : tourOf(ask);
    const measured = () => measure({ server, stores, database, connections, seconds, requests, fill, warmUpSeconds });
    return await (writes && peer.kind !== 'larder' ? withoutOutbox(bench, measured) : measured());
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
async function coldStart(bench: Bench, peer: Peer): Promise<ColdStart> {
  const { mode, stores, database, pool } = bench;
  const redisUrl = stores.redisUrl(COLD_REDIS + PEERS.indexOf(peer));
  const addresses = { databaseUrl: stores.databaseUrl(database), redisUrl };
  const env = peer.kind === 'larder' ? { CACHE_PREFIX: 'cold:' } : {};
  const server = await startServer(peer, bench.cores, addresses, { env });
  try {
    const { connections, coldSeconds } = mode;
    const seconds = HELD_COLD.includes(peer.name) ? coldSeconds.larder : coldSeconds.others;
    const requested = requestsOf({
      peer,
      traffic: 'random',
      pool,
      cursors: await readCursors(server),
      connections,
      seed: 7,
    });
    const requests = () => requested;
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
 * @param mode how much data there is
 * @returns what traffic may ask for
 */
export function poolOf({ data }: Pick<Mode, 'data'>): Pool {
  return { ...data, ...addedAfter(data), pageSize: SIZES.nested.campaigns };
}
