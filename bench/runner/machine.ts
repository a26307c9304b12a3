import { spawnSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';

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

/** Above this the machine does something else as well. */
const BUSY = 1.5;

/** @returns a warning when the machine was busy before anything was measured; `null` when it was not */
export function busyWarning(): string | null {
  const [lastMinute = 0] = loadavg();
  return lastMinute < BUSY
    ? null
    : `PROVISIONAL: the machine was busy with something else (load ${lastMinute.toFixed(1)} before the first request).`;
}
