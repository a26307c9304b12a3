import { setTimeout as sleep } from 'node:timers/promises';
import { readCursors } from '../check.ts';
import { type Bench, poolOf } from '../compare.ts';
import { measure } from '../measure.ts';
import { peerOf } from '../peers.ts';
import { residentMiB } from '../process-time.ts';
import type { Cursors, Request } from '../queries.ts';
import { type Server, startServer } from '../server.ts';
import { seed } from '../stores.ts';
import { type Pool, requestsOf } from '../traffic.ts';
import { addLargeCampaigns } from './large-campaigns.ts';
import type { Point, Series } from './series.ts';

/** What the sizes are measured with, unless connections are what grows. */
const CONNECTIONS = 8;
const WARM_UP_SECONDS = 2;
const SECONDS = 3;
/** Long enough for every page to have been asked for. */
const FILL_SECONDS = 5;

const LARDER = peerOf('larder');
const CAMPAIGNS = { events: 100_000, campaigns: 2_000 };
const TABLES = [10_000, 100_000, 1_000_000];
const LARGEST_TABLE = 5_000_000;
const EVENTS_PER_CAMPAIGN = 50;
const PAGE_SIZES = [1, 2, 5, 10, 20, 50, 100];
const CAMPAIGN_SIZES = [10, 100, 1_000, 10_000, 100_000];
const CONNECTION_COUNTS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const HIT_RATES = [0, 0.25, 0.5, 0.75, 1];

/** The Redis database of these servers; each is started on an empty one. */
const REDIS = 20;

/**
 * Lets one thing after the other grow and measures what a request to Larder costs then.
 *
 * @param bench what to measure on; its database is not used
 * @param largest whether tables grow to 5,000,000 events
 * @returns a series for each thing
 */
export async function measureGrowth(bench: Bench, largest: boolean): Promise<Series[]> {
  const { stores } = bench;
  await seed(stores, 'sizes', CAMPAIGNS);
  const sizes: Bench = { ...bench, database: 'sizes', pool: poolOf({ data: CAMPAIGNS }) };
  const series = [await pageSizes(sizes), await connections(sizes), await hitRates(sizes)];
  const ids = await addLargeCampaigns(stores, 'sizes', CAMPAIGN_SIZES);
  series.push(await campaignSizes(sizes, ids, false), await campaignSizes(sizes, ids, true));
  series.push(await tableSizes(bench, largest ? [...TABLES, LARGEST_TABLE] : TABLES));
  return series;
}

/** Starts Larder on an empty Redis, does something with it, and stops it. */
async function withLarder<T>(
  { stores, cores, database }: Bench,
  env: Readonly<Record<string, string>>,
  action: (server: Server) => Promise<T>,
): Promise<T> {
  await stores.flushRedis();
  const addresses = { databaseUrl: stores.databaseUrl(database), redisUrl: stores.redisUrl(REDIS) };
  const server = await startServer(LARDER, cores, addresses, { env });
  try {
    // The first heartbeat comes with the first round of the drainer.
    await sleep(500);
    return await action(server);
  } finally {
    await server.stop();
  }
}

async function point(
  { stores, database, say }: Bench,
  server: Server,
  x: number,
  requests: readonly (readonly Request[])[],
  connectionCount = CONNECTIONS,
  warmUpSeconds = WARM_UP_SECONDS,
): Promise<Point> {
  const sample = await measure({
    ...{ server, stores, database, connections: connectionCount, requests: () => requests },
    ...{ warmUpSeconds, seconds: SECONDS },
  });
  const { perSecond, p50, errors } = sample;
  say(`  ${String(x).padStart(9)}  ${perSecond.toFixed(0).padStart(6)}/s  p50 ${p50.toFixed(2)} ms  ${errors} errors`);
  return { x, sample, residentMiB: residentMiB(server.pid) };
}

function randomPages(pool: Pool, cursors: Cursors, seed: number): Request[][] {
  return requestsOf({ peer: LARDER, traffic: 'random', pool, cursors, connections: CONNECTIONS, seed });
}

function ask(query: string, variables: object = {}, headers: Readonly<Record<string, string>> = {}): Request {
  return {
    method: 'POST',
    path: '/graphql',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  };
}

async function pageSizes(bench: Bench): Promise<Series> {
  bench.say('Campaigns on a page, with 10 events each:');
  const query =
    'query Page($first: Int) { campaigns(first: $first) { nodes { id title events(first: 10) { nodes { id title startsAt } } } } }';
  const points = await withLarder(bench, {}, async (server) => {
    const found: Point[] = [];
    for (const first of PAGE_SIZES) found.push(await point(bench, server, first, [[ask(query, { first })]]));
    return found;
  });
  return {
    name: 'page-size',
    title: 'Page of campaigns with 10 events each',
    x: 'campaigns on the page',
    logarithmic: true,
    points,
    flat: null,
  };
}

async function connections(bench: Bench): Promise<Series> {
  bench.say('Connections, random pages:');
  const points = await withLarder(bench, {}, async (server) => {
    const found: Point[] = [];
    const cursors = await readCursors(server);
    for (const count of CONNECTION_COUNTS) {
      found.push(await point(bench, server, count, randomPages(bench.pool, cursors, 1), count));
    }
    return found;
  });
  return {
    name: 'connections',
    title: 'Random pages of 5 campaigns × 2 events',
    x: 'connections',
    logarithmic: true,
    points,
    flat: null,
  };
}

/** With the memory tier alone and pages drawn evenly, the share of bodies that it holds is the share of hits. */
async function hitRates(bench: Bench): Promise<Series> {
  bench.say('Hit rate (as the server counted it, in percent), random pages, memory tier alone:');
  const sql = bench.stores.connect(bench.database);
  const [row] = await sql<[{ entities: number }]>`
    select (select count(*) from campaigns)::int + (select count(distinct event_id) from campaigns cross join lateral (
      select event_id from campaign_events where campaign_id = campaigns.id order by starts_at, event_id limit 2
    ) first)::int as entities`;
  const found: Point[] = [];
  for (const share of HIT_RATES) {
    // A little more than all, so that the last one fits as well.
    const entries = Math.round(row.entities * (share === 1 ? 1.1 : share));
    const env = { MEMORY_MAX_ENTRIES: String(entries), REDIS_URL: '', INSPECT: 'header' };
    await withLarder(bench, env, async (server) => {
      const cursors = await readCursors(server);
      const requests = randomPages(bench.pool, cursors, 2);
      const measured = await point(bench, server, Math.round(share * 100), requests, CONNECTIONS, FILL_SECONDS);
      const counted = await hitRateOf(server, requests.flat().slice(0, 300));
      found.push({ ...measured, x: Math.round(counted * 100) });
    });
  }
  return {
    name: 'hit-rate',
    title: 'Random pages, by how many bodies are cached',
    x: 'hits, %',
    logarithmic: false,
    points: found,
    flat: null,
  };
}

interface Inspected {
  readonly extensions: {
    readonly dataFetching: { readonly cache: Readonly<Record<string, { hits: number; misses: number }>> };
  };
}

async function hitRateOf(server: Server, requests: readonly Request[]): Promise<number> {
  let [hits, misses] = [0, 0];
  for (const request of requests) {
    const inspected = { ...request, headers: { ...request.headers, 'x-inspect': '1' } };
    const { cache } = ((await server.ask(inspected)) as Inspected).extensions.dataFetching;
    for (const counts of Object.values(cache)) {
      hits += counts.hits;
      misses += counts.misses;
    }
  }
  return hits / (hits + misses);
}

async function campaignSizes(bench: Bench, ids: ReadonlyMap<number, string>, middle: boolean): Promise<Series> {
  const where = middle ? 'from its middle' : 'from its start';
  bench.say(`Events of one campaign, a page of 5 ${where}:`);
  const query =
    'query Events($id: ID!, $after: String) { campaign(id: $id) { id title events(first: 5, after: $after) { nodes { id title startsAt } pageInfo { hasNextPage endCursor } } } }';
  const points = await withLarder(bench, {}, async (server) => {
    const found: Point[] = [];
    for (const [size, databaseId] of ids) {
      const id = Buffer.from(`Campaign:${databaseId}`).toString('base64');
      const after = middle ? await cursorAt(bench, server, id, databaseId, size) : null;
      found.push(await point(bench, server, size, [[ask(query, { id, after })]]));
    }
    return found;
  });
  return {
    name: middle ? 'campaign-size-middle' : 'campaign-size',
    title: `5 events of one campaign, ${where}`,
    x: 'events of the campaign',
    ...{ logarithmic: true, points, flat: 1.5 },
  };
}

/** The cursor of the event that half of a campaign's events come before. */
async function cursorAt(bench: Bench, server: Server, id: string, databaseId: string, size: number): Promise<string> {
  const sql = bench.stores.connect(bench.database);
  const [row] = await sql<[{ at: string }]>`
    select to_char(starts_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at from campaign_events
    where campaign_id = ${databaseId} order by starts_at, event_id offset ${Math.floor(size / 4)} limit 1`;
  const query =
    'query After($id: ID!, $at: DateTime) { campaign(id: $id) { events(first: 1, startsAfter: $at) { edges { cursor } } } }';
  const answer = (await server.ask(ask(query, { id, at: row.at }))) as {
    data: { campaign: { events: { edges: { cursor: string }[] } } };
  };
  const cursor = answer.data.campaign.events.edges[0]?.cursor;
  if (cursor === undefined) throw new Error(`Campaign ${databaseId} has no event after ${row.at}.`);
  return cursor;
}

async function tableSizes(bench: Bench, sizes: readonly number[]): Promise<Series> {
  const points: Point[] = [];
  for (const events of sizes) {
    const data = { events, campaigns: events / EVENTS_PER_CAMPAIGN };
    const database = `table_${events}`;
    bench.say(`${events.toLocaleString('en-US')} events, random pages:`);
    await seed(bench.stores, database, data);
    const grown: Bench = { ...bench, database, pool: poolOf({ data }) };
    await withLarder(grown, {}, async (server) => {
      const cursors = await readCursors(server);
      // As many different pages at each size, so that what is cached is no matter of the size.
      const pool = { ...grown.pool, campaigns: Math.min(grown.pool.campaigns, 200) };
      points.push(await point(grown, server, events, randomPages(pool, cursors, 3)));
    });
  }
  return {
    name: 'table-size',
    title: 'Random pages of 5 campaigns × 2 events',
    x: 'events in the table',
    ...{ logarithmic: true, points, flat: 1.5 },
  };
}
