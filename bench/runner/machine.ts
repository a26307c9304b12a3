import { spawnSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Which cores are for what; `null` where the machine has one alone or processes cannot be pinned. */
export interface Cores {
  readonly server: string;
  /** The load generator, Postgres and Redis. */
  readonly rest: string;
}

/**
 * Pins this process, and so all that it starts, to the first core, and leaves the last one to the server under test.
 *
 * @returns the cores; `null` when nothing could be pinned
 */
export function pin(): Cores | null {
  if (cpus().length < 2 || spawnSync('taskset', ['--version']).status !== 0) return null;
  const server = String(cpus().length - 1);
  const rest = cpus().length > 2 ? `0-${cpus().length - 2}` : '0';
  return spawnSync('taskset', ['-a', '-c', '-p', rest, String(process.pid)]).status === 0 ? { server, rest } : null;
}

/**
 * @param cores where the server under test belongs
 * @param command the server's command
 * @returns the command that starts it there
 */
export function pinned(cores: Cores | null, command: readonly string[]): string[] {
  return cores === null ? [...command] : ['taskset', '-c', cores.server, ...command];
}

/**
 * @param cores how processes were pinned
 * @returns what the figures were measured on, in words
 */
export function describeMachine(cores: Cores | null): string {
  const model = cpus()[0]?.model.trim() ?? 'an unknown CPU';
  const memory = Math.round(totalmem() / 2 ** 30);
  const where =
    cores === null
      ? 'nothing pinned'
      : `server pinned to core ${cores.server}, load generator, Postgres and Redis to core ${cores.rest}`;
  return `${cpus().length} cores (${model}), ${memory} GiB, ${type()} ${release()}, Node ${process.version}; ${where}`;
}

/** A machine that is this busy while nothing is measured does something else as well. */
const BUSY_SHARE = 0.15;
const LOOK_MS = 2000;

/**
 * Looks for a while how busy the machine is with what is not ours. To be called while nothing of ours is at work.
 *
 * @returns a warning when it is busy; `null` when it is not
 */
export async function busyWarning(): Promise<string | null> {
  const before = cpuTimes();
  await sleep(LOOK_MS);
  const after = cpuTimes();
  const share = 1 - (after.idle - before.idle) / (after.all - before.all);
  if (share < BUSY_SHARE) return null;
  return `PROVISIONAL: something else kept ${Math.round(share * 100)} % of the machine busy.`;
}

/** The time of all cores since the start of the machine, and how much of it they were idle. */
function cpuTimes(): { idle: number; all: number } {
  let [idle, all] = [0, 0];
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.user + times.nice + times.sys + times.irq + times.idle;
  }
  return { idle, all };
}
