import type { Peer } from './peers.ts';
import type { Request, Subject } from './queries.ts';

/** What a peer is measured with: the queries, and one kind of traffic that mixes two of them. */
export const TRAFFIC = ['nested', 'wide', 'random', 'byId', 'threeLevels', 'mix'] as const;

/** One kind of traffic. */
export type Traffic = (typeof TRAFFIC)[number];

/** What it is called in reports. */
export const TRAFFIC_TITLES: Readonly<Record<Traffic, string>> = {
  nested: 'nested: 5 campaigns × 2 events',
  wide: 'wide: 50 × 10, bodies, brand, pageInfo',
  random: 'random page of nested',
  byId: 'by id, with brand',
  threeLevels: 'three levels: 5 × 5 × 3, brand',
  mix: 'random pages, 5 % writes',
};

/** What the traffic is drawn from. */
export interface Pool {
  /** Campaigns have the ids from 1 to this one, and so do events. */
  readonly campaigns: number;
  readonly events: number;
  /** How many campaigns a page has at most: none is asked for that would be shorter. */
  readonly pageSize: number;
}

/** Requests that each connection has before it starts anew. */
const LIST_LENGTH = 500;
/** A peer that is given the finished answer gets to know so many pages, and is asked for these. */
const KNOWN = 500;
/** One request in so many is a write. */
const WRITE_EVERY = 20;

let sessions = 0;

/**
 * Makes what the connections of one run ask. The same seed gives every peer the same.
 *
 * @param peer who is asked
 * @param traffic what kind
 * @param pool what the data allows
 * @param cursors the peer's own cursors
 * @param connections how many connections there are
 * @param seed which traffic of the kind
 * @returns a list of requests for each connection
 */
export function requestsOf(
  peer: Peer,
  traffic: Traffic,
  pool: Pool,
  cursors: ReadonlyMap<string, string>,
  connections: number,
  seed: number,
): Request[][] {
  const random = randomOf(seed);
  const { dialect } = peer;
  if (traffic === 'nested' || traffic === 'wide' || traffic === 'threeLevels') {
    return [[dialect.request(traffic, subjectOf(pool, random, null), cursors)]];
  }
  const known = peer.kind === 'finished answer' && peer.sessions !== true ? knownSubjects(pool) : null;
  const one = (number: number): Request => {
    const subject = subjectOf(pool, random, known);
    const writes = traffic === 'mix' && number % WRITE_EVERY === 0;
    const query = traffic === 'byId' ? 'byId' : writes ? 'mutation' : 'random';
    const request = dialect.request(query, subject, cursors);
    if (peer.sessions !== true) return request;
    sessions += 1;
    return { ...request, headers: { ...request.headers, 'x-session': String(sessions) } };
  };
  return Array.from({ length: connections }, (_connection, connection) =>
    // Each connection begins elsewhere in the cycle, so that writes do not come in waves.
    Array.from({ length: LIST_LENGTH }, (_request, number) => one(number + connection)),
  );
}

/** The same in every run of a peer, so that none of them is new. */
function knownSubjects(pool: Pool): Subject[] {
  const random = randomOf(0);
  return Array.from({ length: KNOWN }, () => subjectOf(pool, random, null));
}

function subjectOf(pool: Pool, random: () => number, known: readonly Subject[] | null): Subject {
  const among = (count: number) => Math.floor(random() * count);
  const some = known?.[among(known.length)];
  if (some !== undefined) return some;
  return {
    after: String(1 + among(pool.campaigns - pool.pageSize)),
    campaign: String(1 + among(pool.campaigns)),
    event: String(1 + among(pool.events)),
    title: `Renamed ${among(1_000_000)}`,
  };
}

/** Numbers from 0 to 1 that the same seed gives again (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
