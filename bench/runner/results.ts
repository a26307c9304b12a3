import type { Sample } from './measure.ts';
import type { Held } from './memory/measure-memory.ts';
import type { PeerName } from './peers.ts';
import type { Storm } from './storm/measure-storm.ts';
import type { Traffic } from './traffic.ts';

/** All that one run measured. */
export interface Results {
  readonly machine: string;
  readonly at: string;
  readonly mode: string;
  readonly data: string;
  /** Why the figures are not to be relied on; `null` when nothing is known against them. */
  readonly warning: string | null;
  readonly connections: number;
  readonly secondsPerRun: number;
  readonly rounds: number;
  /** One sample a round. */
  readonly samples: Partial<Record<Traffic, Partial<Record<PeerName, Sample[]>>>>;
  /** From the start of the process, on an empty Redis; for Larder longer than for the others. */
  readonly cold: Partial<Record<PeerName, ColdStart>>;
  /** For how long every peer's cold start was watched. */
  readonly coldSeconds: number;
  readonly restarts: readonly Restart[];
  /** `null` when it was not measured. */
  readonly storm: Storm | null;
  /** Empty when it was not. */
  readonly memory: readonly Held[];
}

/** How a server did that had just been started, on empty caches. */
export interface ColdStart {
  readonly perSecond: number;
  readonly eachSecond: readonly number[];
  readonly errors: number;
}

/** How a server did while something happened to its cache. */
export interface Restart {
  readonly title: string;
  readonly eachSecond: readonly number[];
  /** The seconds, from the start of the run, at which it happened and was over. */
  readonly from: number;
  readonly until: number;
  readonly errors: number;
}

/** The middle of some figures, and their range. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * @param results all that was measured
 * @param traffic the kind of traffic
 * @param peer whose figure
 * @param pick which figure
 * @returns its spread over the rounds; `null` when it was not measured
 */
export function spreadOf(
  results: Results,
  traffic: Traffic,
  peer: PeerName,
  pick: (sample: Sample) => number,
): Spread | null {
  const values = (results.samples[traffic]?.[peer] ?? [])
    .map(pick)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  if (values.length === 0) return null;
  return { median: medianOf(values), min: values[0] ?? Number.NaN, max: values.at(-1) ?? Number.NaN };
}

/** The median over the rounds of a figure; `null` when it was not measured, or is nothing, which nobody can be compared with. */
export function medianOver(
  results: Results,
  traffic: Traffic,
  peer: PeerName,
  pick: (sample: Sample) => number,
): number | null {
  return spreadOf(results, traffic, peer, pick)?.median || null;
}

/** How many requests one server answers for each of another's; `null` when they were not both measured. */
export function ratioOf(results: Results, traffic: Traffic, peer: PeerName, other: PeerName): number | null {
  const rate = (sample: Sample) => sample.perSecond;
  const [own, its] = [medianOver(results, traffic, peer, rate), medianOver(results, traffic, other, rate)];
  return own === null || its === null ? null : own / its;
}

/** The middle of sorted figures. */
export function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = low] = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1);
  return (low + high) / 2;
}
