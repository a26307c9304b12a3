import { setTimeout as sleep } from 'node:timers/promises';
import { type Outcome, run } from './load.ts';
import { cpuSeconds } from './process-time.ts';
import type { Request } from './queries.ts';
import type { Server } from './server.ts';
import type { Stores } from './stores.ts';

/** What one run of traffic gave, and what each request of it cost. */
export interface Sample extends Outcome {
  /** For each request. */
  readonly statements: number;
  readonly redisCommands: number;
  /** For each 1,000 requests, in seconds. */
  readonly serverCpu: number;
  readonly postgresCpu: number;
  readonly redisCpu: number;
}

/** After the last request, the server may still be at work on what nobody waits for any more. */
const SETTLE_MS = 150;

/** How caches are filled beforehand: nobody measures that. */
const FILL_CONNECTIONS = 32;
const FILL_SECONDS = 30;

/** How a run is made. */
export interface Run {
  readonly server: Server;
  readonly stores: Stores;
  readonly database: string;
  readonly connections: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Makes what the connections ask, once to warm up and once to be measured. */
  readonly requests: (phase: 'warm-up' | 'measured') => readonly (readonly Request[])[];
  /** What is asked once in between, by as many connections as fill caches soonest; nothing when absent. */
  readonly fill?: readonly Request[];
  /** Whether what is measured is asked once, and the seconds are the most that it may take; `false` when absent. */
  readonly once?: boolean;
}

/**
 * Warms a server up, puts a load on it, and counts what that took.
 *
 * @param options the server, its stores, what to ask and for how long
 * @returns the figures
 */
export async function measure(options: Run): Promise<Sample> {
  const { server, stores, connections, warmUpSeconds, seconds } = options;
  const { url, pid } = server;
  if (warmUpSeconds > 0) await run({ url, connections, seconds: warmUpSeconds, requests: options.requests('warm-up') });
  const { fill = [], once = false } = options;
  if (fill.length > 0) {
    await run({ url, connections: FILL_CONNECTIONS, seconds: FILL_SECONDS, requests: [fill], once: true });
  }
  const requests = options.requests('measured');
  await sleep(SETTLE_MS);
  const counted = await stores.startCounting(options.database);
  const cpuBefore = cpuSeconds(pid);
  const outcome = await run({ url, connections, seconds, requests, once });
  await sleep(SETTLE_MS);
  const used = await counted();
  // Requests that were under way at the end cost as much as the others.
  const sent = outcome.sent;
  return {
    ...outcome,
    statements: used.statements / sent,
    redisCommands: used.redisCommands / sent,
    serverCpu: ((cpuSeconds(pid) - cpuBefore) / sent) * 1000,
    postgresCpu: (used.postgresCpu / sent) * 1000,
    redisCpu: (used.redisCpu / sent) * 1000,
  };
}
