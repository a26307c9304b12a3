import type { Peer, PeerName } from './peers.ts';
import type { Cursors, QueryName, Request, Subject } from './queries.ts';

/** What a peer is measured with: queries, a mix of two of them, and the same by caches that have nothing or half, and by one reader alone. */
export const TRAFFIC = [
  'nested',
  'wide',
  'heavy',
  'random',
  'byId',
  'threeLevels',
  'mix',
  'cold',
  'half',
  'lone-nested',
  'lone-heavy',
  'lone-random',
  'lone-byId',
  'lone-cold',
  'lone-half',
] as const;

/** One kind of traffic. */
export type Traffic = (typeof TRAFFIC)[number];

/** What a kind of traffic is. */
export interface Kind {
  /** What it is called in reports. */
  readonly title: string;
  readonly query: QueryName;
  /** What caches have of what it asks for. */
  readonly caches: 'warm' | 'half' | 'cold';
  /** Whether one connection asks, instead of as many as the run has. */
  readonly lone: boolean;
  /** Whether one request in twenty is a write. */
  readonly writes: boolean;
  /** Who is asked; all who can be when absent. */
  readonly peers?: readonly PeerName[];
}

const WARM = { caches: 'warm', lone: false, writes: false } as const;
/** Alone, whoever is told apart by what a crowd shares is left out. */
const LONE: Omit<Kind, 'title' | 'query'> = {
  ...WARM,
  lone: true,
  peers: [
    'larder',
    'larder-node-22',
    'postgraphile',
    'pothos-drizzle',
    'pothos-prisma',
    'mercurius-cache',
    'response-cache',
    'route-splice',
    'route-json',
    'route-bare',
  ],
};

/** For whoever caches nothing, pages that are new are pages like all others: those stand here that the others are held to. */
const MATTERS_TO: readonly PeerName[] = [
  'larder',
  'larder-redis-only',
  'proof-of-concept',
  'postgraphile',
  'route-ids',
  'route-splice',
  'route-json',
];

/** Each kind of traffic. */
export const KINDS: Readonly<Record<Traffic, Kind>> = {
  nested: { ...WARM, title: 'nested: 5 campaigns × 2 events', query: 'nested' },
  wide: { ...WARM, title: 'wide: 50 × 10, bodies, brand, pageInfo', query: 'wide' },
  heavy: { ...WARM, title: 'heavy: wide, bodies of 1,000 characters', query: 'heavy' },
  random: { ...WARM, title: 'random page of nested', query: 'random' },
  byId: { ...WARM, title: 'by id, with brand', query: 'byId' },
  threeLevels: { ...WARM, title: 'three levels: 5 × 5 × 3, brand', query: 'threeLevels' },
  mix: { ...WARM, title: 'random pages, 5 % writes', query: 'random', writes: true },
  cold: { ...WARM, title: 'cold: random pages, nothing cached', query: 'random', caches: 'cold', peers: MATTERS_TO },
  half: { ...WARM, title: 'half warm: random pages', query: 'random', caches: 'half', peers: MATTERS_TO },
  'lone-nested': { ...LONE, title: 'nested', query: 'nested' },
  'lone-heavy': { ...LONE, title: 'heavy', query: 'heavy' },
  'lone-random': { ...LONE, title: 'random page', query: 'random' },
  'lone-byId': { ...LONE, title: 'by id', query: 'byId' },
  'lone-cold': { ...LONE, title: 'cold', query: 'random', caches: 'cold', peers: MATTERS_TO },
  'lone-half': { ...LONE, title: 'half warm', query: 'random', caches: 'half', peers: MATTERS_TO },
};

/** What the traffic is drawn from. */
export interface Pool {
  /** Campaigns have the ids from 1 to this one, and so do events. */
  readonly campaigns: number;
  readonly events: number;
  /** How many campaigns a page has at most: none is asked for that would be shorter. */
  readonly pageSize: number;
  /** The campaign that the page of heavy ones comes after. */
  readonly heavyAfter: number;
  /** The campaign that those come after that nobody asks for before `cold` and `half` do. */
  readonly freshAfter: number;
}

/** Requests that each connection has before it starts anew. */
const LIST_LENGTH = 500;
/** A peer that is given the finished answer gets to know so many pages, and is asked for these. */
const KNOWN = 500;
/** One request in so many is a write. */
const WRITE_EVERY = 20;
/** How many pages a turn asks for of which caches have nothing or half: by all connections, by one. */
const FRESH_PAGES = { crowd: 2000, lone: 800 };

let sessions = 0;

/** Which requests. */
export interface Ask {
  readonly peer: Peer;
  readonly traffic: Traffic;
  /** What the data allows. */
  readonly pool: Pool;
  /** The peer's own cursors. */
  readonly cursors: Cursors;
  readonly connections: number;
  /** Which traffic of the kind: the same seed gives every peer the same. */
  readonly seed: number;
}

/**
 * Makes what the connections of one run ask, over and over.
 *
 * @param ask whom, and what
 * @returns a list of requests for each connection
 */
export function requestsOf({ peer, traffic, pool, cursors, connections, seed }: Ask): Request[][] {
  const random = randomOf(seed);
  const { dialect } = peer;
  const { query, writes } = KINDS[traffic];
  if (query === 'nested' || query === 'wide' || query === 'heavy' || query === 'threeLevels') {
    return [[dialect.request(query, subjectOf(pool, query, random, null), cursors)]];
  }
  const known = peer.kind === 'finished answer' && peer.sessions !== true ? knownSubjects(pool, query) : null;
  const one = (number: number): Request => {
    const subject = subjectOf(pool, query, random, known);
    const request = dialect.request(writes && number % WRITE_EVERY === 0 ? 'mutation' : query, subject, cursors);
    if (peer.sessions !== true) return request;
    sessions += 1;
    return { ...request, headers: { ...request.headers, 'x-session': String(sessions) } };
  };
  return Array.from({ length: connections }, (_connection, connection) =>
    // Each connection begins elsewhere in the cycle, so that writes do not come in waves.
    Array.from({ length: LIST_LENGTH }, (_request, number) => one(number + connection)),
  );
}

/**
 * Makes what fills caches with all that random pages and entities by id are drawn from, each once. Larder believes what it has by id only for as
 * long as it has heard of all changes, so that no list can bring that along. A peer that is given finished answers has its own way to get to know
 * them.
 *
 * @param ask whom, and what of what is warm
 * @returns the requests; none where the traffic asks for one page alone, or the peer has no cache
 */
export function tourOf({ peer, traffic, pool, cursors }: Ask): Request[] {
  const { query } = KINDS[traffic];
  if ((query !== 'random' && query !== 'byId') || peer.kind === 'finished answer' || peer.cacheless === true) return [];
  const { campaigns, pageSize } = pool;
  if (query === 'byId' && peer.kind === 'larder')
    return Array.from({ length: campaigns }, (_, i) =>
      peer.dialect.request('byId', { ...NOBODY, campaign: String(1 + i) }, cursors),
    );
  return Array.from({ length: Math.floor((campaigns - 1) / pageSize) }, (_, i) =>
    pageAfter(peer, String(1 + i * pageSize), cursors),
  );
}

/** Pages that are asked for once. */
export interface FreshRequests {
  /** What caches have to have read before; nothing for `cold`. */
  readonly fill: readonly Request[];
  readonly measured: readonly Request[];
}

/**
 * Makes pages of campaigns that nobody has asked for yet. For `half`, each second page of ten campaigns is what is read before, and
 * the pages that are measured lie two campaigns further: they share three, two, three … of their five with those.
 *
 * @param ask whom, and what of `cold` and `half`
 * @param from how many of the fresh campaigns have been asked for
 * @returns the requests
 */
export function freshRequestsOf({ peer, traffic, pool, cursors, seed }: Ask, from: number): FreshRequests {
  const { caches, lone } = KINDS[traffic];
  const { pageSize, freshAfter } = pool;
  const count = FRESH_PAGES[lone ? 'lone' : 'crowd'];
  const page = (offset: number) => pageAfter(peer, String(freshAfter + from + offset), cursors);
  const shifted = caches === 'half' ? Math.floor(pageSize / 2) : 0;
  const order = shuffled(
    Array.from({ length: count }, (_, i) => i),
    randomOf(seed),
  );
  return {
    fill: caches === 'half' ? Array.from({ length: count / 2 + 1 }, (_, i) => page(i * 2 * pageSize)) : [],
    measured: order.map((i) => page(i * pageSize + shifted)),
  };
}

/**
 * @param traffic what kind
 * @param pageSize how many campaigns a page has
 * @returns how many fresh campaigns one turn takes; 0 when it asks for what was asked for before
 */
export function freshCampaigns(traffic: Traffic, pageSize: number): number {
  const { caches, lone } = KINDS[traffic];
  // One page of `half` reaches into what comes after.
  return caches === 'warm' ? 0 : (FRESH_PAGES[lone ? 'lone' : 'crowd'] + 2) * pageSize;
}

/** The page after a campaign. */
function pageAfter(peer: Peer, after: string, cursors: Cursors): Request {
  return peer.dialect.request('random', { ...NOBODY, after }, cursors);
}

const NOBODY: Subject = { after: null, campaign: '1', event: '1', title: '' };

/** The same in every run of a peer, so that none of them is new. */
function knownSubjects(pool: Pool, query: QueryName): Subject[] {
  const random = randomOf(0);
  return Array.from({ length: KNOWN }, () => subjectOf(pool, query, random, null));
}

function subjectOf(pool: Pool, query: QueryName, random: () => number, known: readonly Subject[] | null): Subject {
  const among = (count: number) => Math.floor(random() * count);
  const some = known?.[among(known.length)];
  if (some !== undefined) return some;
  return {
    after: String(query === 'heavy' ? pool.heavyAfter : 1 + among(pool.campaigns - pool.pageSize)),
    campaign: String(1 + among(pool.campaigns)),
    event: String(1 + among(pool.events)),
    title: `Renamed ${among(1_000_000)}`,
  };
}

/** In an order that the same numbers give again (Fisher and Yates). */
function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const mixed = [...list];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const [a, b] = [mixed[last] as T, mixed[other] as T];
    mixed[last] = b;
    mixed[other] = a;
  }
  return mixed;
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
