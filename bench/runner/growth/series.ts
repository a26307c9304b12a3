import type { Sample } from '../measure.ts';

/** One thing that grows, and what that does to a request. */
export interface Series {
  readonly name: string;
  readonly title: string;
  /** What is along the x axis. */
  readonly x: string;
  /** Whether x goes up by factors. */
  readonly logarithmic: boolean;
  readonly points: readonly Point[];
  /** The most by which a request's time may differ from the least; `null` when nothing is promised. */
  readonly flat: number | null;
}

/** What was measured at one size. */
export interface Point {
  readonly x: number;
  readonly sample: Sample;
  /** What the server held in memory after it. */
  readonly residentMiB: number;
}

/** The CPU time of a request, in the server and in Postgres, in milliseconds: what waits for other requests is not in it. */
export function cpuMs({ serverCpu, postgresCpu }: Sample): number {
  return serverCpu + postgresCpu;
}

/**
 * @param series what grew
 * @returns by which factor the dearest request differs from the cheapest
 */
export function factorOf({ points }: Series): number {
  const costs = points.map(({ sample }) => cpuMs(sample));
  return Math.max(...costs) / Math.min(...costs);
}
