import { table } from '../report.ts';
import { medianOf } from '../results.ts';
import type { Target } from '../targets.ts';
import type { Changes } from './measure-changes.ts';
import type { Asked, Storm } from './measure-storm.ts';

/** By how much a storm may lengthen what the slowest one in a hundred wait. */
const MOST = 2;

/**
 * Writes what a storm did as a Markdown table.
 *
 * @param storm what was measured
 * @returns the lines
 */
export function reportStorm(storm: Storm): string[] {
  const { connections, alone, during, attacksPerSecond, answered } = storm;
  return [
    `Attacks beside ${connections} connections that ask the nested query; ${Math.round(median(attacksPerSecond))} attacks a second, of which ${answered} were not refused:`,
    '',
    ...tableOf({ alone, 'during the storm': during }),
  ];
}

/**
 * Writes what many changes did as a Markdown table.
 *
 * @param changes what was measured
 * @returns the lines
 */
export function reportChanges({ connections, rows, seconds, alone, during }: Changes): string[] {
  return [
    `One statement that changes ${rows.toLocaleString('en-US')} rows, beside ${connections} connections that ask the nested query; all was told after ${seconds.toFixed(1)} s:`,
    '',
    ...tableOf({ 'before it': alone, 'until all was told': during }),
  ];
}

function tableOf(turns: Readonly<Record<string, readonly Asked[]>>): string[] {
  const rows = Object.entries(turns).map(([title, asked]) => [
    title,
    Math.round(median(asked.map(({ perSecond }) => perSecond))).toLocaleString('en-US'),
    median(asked.map(({ p50 }) => p50)).toFixed(2),
    median(asked.map(({ p99 }) => p99)).toFixed(2),
    String(asked.reduce((sum, { errors }) => sum + errors, 0)),
  ]);
  return table(['', 'requests/s', 'p50 ms', 'p99 ms', 'errors'], rows);
}

/**
 * @param storm what was measured
 * @returns what a storm may do to others, and how it came out
 */
export function stormTarget({ alone, during }: Storm): Target {
  return targetOf('during a storm of attacks', alone, during);
}

/**
 * @param changes what was measured
 * @returns what many changes may do to those who ask, and how it came out
 */
export function changesTarget({ rows, alone, during }: Changes): Target {
  return targetOf(`while ${rows.toLocaleString('en-US')} rows change`, alone, during);
}

function targetOf(when: string, alone: readonly Asked[], during: readonly Asked[]): Target {
  const ratio = median(during.map(({ p99 }) => p99)) / median(alone.map(({ p99 }) => p99));
  const errors = during.reduce((sum, asked) => sum + asked.errors, 0);
  return {
    what: `Larder, nested, ${when}: p99 ≤ ${MOST} × that without one, no error`,
    measured: `${ratio.toFixed(2)} ×, ${errors} errors`,
    passed: ratio <= MOST && errors === 0,
  };
}

function median(values: readonly number[]): number {
  return medianOf(values.toSorted((a, b) => a - b));
}
