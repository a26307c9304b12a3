import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts CPU time in these; they are hundredths of a second nearly everywhere. */
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

interface Stat {
  readonly parent: number;
  /** Of the process itself, all of its threads. */
  readonly own: number;
  /** Of its children that have ended. */
  readonly reaped: number;
}

function statOf(pid: number | string): Stat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // It has ended meanwhile.
    return null;
  }
  // The name in parentheses may hold spaces; what follows does not. The state is field 3 of proc(5).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  return { parent: field(4), own: field(14) + field(15), reaped: field(16) + field(17) };
}

/**
 * @param pid a process
 * @returns the CPU time that it has used, in seconds; that of its children is not in it
 */
export function cpuSeconds(pid: number): number {
  return (statOf(pid)?.own ?? 0) / TICKS_PER_SECOND;
}

/**
 * @param pid a process
 * @returns the CPU time that its children have used, the ended ones included, in seconds
 */
export function cpuSecondsOfChildren(pid: number): number {
  let ticks = statOf(pid)?.reaped ?? 0;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = statOf(entry);
    if (stat?.parent === pid) ticks += stat.own;
  }
  return ticks / TICKS_PER_SECOND;
}

/**
 * @param pid a process
 * @returns how much memory it holds, in mebibytes
 */
export function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024);
}
