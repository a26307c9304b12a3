import { table } from '../report.ts';
import { BOUND_MIB, type Held } from './measure-memory.ts';

/**
 * Writes what Larder holds in memory as a Markdown table.
 *
 * @param held what was measured
 * @returns the lines
 */
export function reportMemory(held: readonly Held[]): string[] {
  const whole = (value: number) => Math.round(value).toLocaleString('en-US');
  return [
    `Memory of one Larder with \`MEMORY_MAX_BYTES\` of ${BOUND_MIB} MiB, entities with bodies of 1,000 characters:`,
    '',
    ...table(
      ['entities asked for', 'held in memory', 'MiB as Larder counts', 'MiB resident'],
      held.map(({ asked, entries, countedMiB, residentMiB }) => [asked, entries, countedMiB, residentMiB].map(whole)),
    ),
  ];
}
