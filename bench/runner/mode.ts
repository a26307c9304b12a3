import type { DataSize } from './stores.ts';
import { TRAFFIC, type Traffic } from './traffic.ts';

/** How much is measured, and for how long. */
export interface Mode {
  readonly name: 'full' | 'quick';
  readonly data: DataSize;
  readonly connections: number;
  /** How often each peer is asked each query, at most. */
  readonly rounds: number;
  /** Before a peer is measured; longer in the first round, in which its code is yet to be compiled. */
  readonly warmUpSeconds: number;
  readonly firstWarmUpSeconds: number;
  readonly seconds: number;
  readonly traffic: readonly Traffic[];
  /** How long a cold start is watched: Larder's, which has a target, and that of the others. */
  readonly coldSeconds: { readonly larder: number; readonly others: number };
  readonly profileSeconds: number;
  /** How long Redis is watched before, and after, it goes away. */
  readonly restartSeconds: { readonly before: number; readonly down: number; readonly after: number };
  /** No round begins after so many seconds since the start. */
  readonly lastRoundAt: number;
}

const FULL: Mode = {
  name: 'full',
  data: { campaigns: 10_000, events: 500_000 },
  connections: 32,
  rounds: 3,
  warmUpSeconds: 0.6,
  firstWarmUpSeconds: 1.5,
  seconds: 2,
  traffic: TRAFFIC,
  coldSeconds: { larder: 6, others: 3 },
  profileSeconds: 6,
  restartSeconds: { before: 5, down: 2, after: 8 },
  lastRoundAt: 9 * 60,
};

const QUICK: Mode = {
  name: 'quick',
  data: { campaigns: 1_000, events: 50_000 },
  connections: 32,
  rounds: 1,
  warmUpSeconds: 0.8,
  firstWarmUpSeconds: 0.8,
  seconds: 1,
  traffic: ['nested', 'wide', 'random', 'byId'],
  coldSeconds: { larder: 5, others: 1 },
  profileSeconds: 3,
  restartSeconds: { before: 3, down: 1, after: 6 },
  lastRoundAt: 3 * 60,
};

/** @returns what the variables of `make bench` ask for */
export function readMode(env: NodeJS.ProcessEnv): Mode {
  return isSet(env.QUICK) ? QUICK : FULL;
}

/** A flag of `make bench`: set unless it is empty or 0. */
export function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0';
}
