import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { comesTrue } from './comes-true.ts';
import { ServiceError } from './service-error.ts';

/** A second process that stops a service when this process has ended, even after a `kill -9`. */
export interface Guard {
  /** Ends the guard, and leaves the service alone. Call it when the service has stopped. */
  release(): Promise<void>;
}

const POLL_MS = 20;

// `read` returns when the other end of the pipe closes. The kernel closes it however this process ends. A zombie that nobody collects
// counts as ended, too.
const GUARD_SCRIPT = `
read -r _
kill -CONT "$1"; kill -INT "$1"
i=0
while kill -0 "$1" && ! grep -q '^State:.Z' "/proc/$1/status" && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
kill -KILL "$1"
[ -z "$2" ] || rm -rf -- "$2"
`;

/**
 * Reads the command line of a running process. It distinguishes the process from another that got the same id later.
 *
 * @param pid the process id
 * @returns its arguments joined by spaces; `null` when no such process runs (a zombie does not run)
 * @throws when the command line cannot be read for another reason
 */
export function commandLine(pid: number): string | null {
  if (existsSync('/proc/self/cmdline')) {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0+$/, '').replaceAll('\0', ' ') || null;
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return null;
      throw error;
    }
  }
  const listed = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  return listed.stdout.trim() || null;
}

/**
 * Ends a process by stronger and stronger signals, and returns when it is gone.
 *
 * @param pid the process to end; nothing happens when it does not run
 * @param steps the signals to send, each with the milliseconds to wait after it
 * @throws when the process still runs after the last step
 */
export async function stopProcess(pid: number, steps: readonly (readonly [NodeJS.Signals, number])[]): Promise<void> {
  for (const [signal, graceMs] of steps) {
    try {
      // A stopped process (SIGSTOP) would keep the signal waiting for ever.
      process.kill(pid, 'SIGCONT');
      process.kill(pid, signal);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return;
      throw error;
    }
    if (await comesTrue(() => commandLine(pid) === null, graceMs, POLL_MS)) return;
  }
  throw new ServiceError(
    `Process ${pid} did not end after ${steps.map(([signal]) => signal).join(', ')}. End it by hand.`,
  );
}

/**
 * Ends a child that was spawned `detached`, and everything that it started. It sends SIGTERM, and SIGKILL to what is left.
 *
 * @param leader the child
 * @param graceMs how long the child may take to end, in milliseconds
 */
export async function stopGroup(leader: ChildProcess, graceMs: number): Promise<void> {
  if (leader.pid === undefined) return;
  signalGroup(leader.pid, 'SIGTERM');
  await Promise.race([exited(leader), sleep(graceMs, undefined, { ref: false })]);
  signalGroup(leader.pid, 'SIGKILL');
  await exited(leader);
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    // The group has no process any more.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/**
 * Starts a guard for a service. When this process ends without releasing the guard, the guard stops the service.
 *
 * @param pid the service to stop; a minus before it means the group that it leads
 * @param temporary a directory to remove after that; `null` for none
 * @returns the guard
 */
export function guardProcess(pid: number, temporary: string | null): Guard {
  const guard = spawn('/bin/sh', ['-c', GUARD_SCRIPT, 'larder-guard', String(pid), temporary ?? ''], {
    cwd: '/',
    // A group of its own, since Ctrl-C signals the whole group of the terminal.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  return {
    async release() {
      guard.kill('SIGKILL');
      await exited(guard);
    },
  };
}

/**
 * Waits for the end of a child.
 *
 * @param child the child, ended or not
 * @returns how it ended, such as `exit code 1`
 */
export async function exited(child: ChildProcess): Promise<string> {
  if (child.exitCode === null && child.signalCode === null) {
    await new Promise((resolve) => child.once('exit', resolve));
  }
  return child.signalCode === null ? `exit code ${child.exitCode}` : `signal ${child.signalCode}`;
}
