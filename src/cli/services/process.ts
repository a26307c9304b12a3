import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from './service-error.ts';

/** A second process that ends a service when ours is gone, even after a `kill -9`. */
export interface Guard {
  /** Ends the guard and leaves the service alone. Call it when the service has stopped. */
  release(): Promise<void>;
}

const POLL_MS = 20;

// `read` returns when the other end of the pipe closes, which the kernel does however our process ends. A zombie that
// nobody collects has ended as well.
const GUARD_SCRIPT = `
read -r _
kill -CONT "$1"; kill -INT "$1"
i=0
while kill -0 "$1" && ! grep -q '^State:.Z' "/proc/$1/status" && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
kill -KILL "$1"
[ -z "$2" ] || rm -rf -- "$2"
`;

/**
 * The command line of a running process, by which it can be told from another one that got the same id later.
 *
 * @param pid the process id
 * @returns its arguments joined by spaces, or `null` when no such process runs (a zombie does not run)
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
 * Ends a process with stronger and stronger signals, and returns when it is gone.
 *
 * @param pid the process to end; nothing happens when it does not run
 * @param steps which signals to send, and how many milliseconds to wait after each
 * @throws when the process runs on after the last step
 */
export async function stopProcess(pid: number, steps: readonly (readonly [NodeJS.Signals, number])[]): Promise<void> {
  for (const [signal, graceMs] of steps) {
    const deadline = performance.now() + graceMs;
    try {
      // A stopped process (SIGSTOP) would keep the signal waiting for ever.
      process.kill(pid, 'SIGCONT');
      process.kill(pid, signal);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return;
      throw error;
    }
    while (performance.now() < deadline) {
      if (commandLine(pid) === null) return;
      await sleep(POLL_MS);
    }
  }
  if (commandLine(pid) === null) return;
  throw new ServiceError(
    `Process ${pid} did not end after ${steps.map(([signal]) => signal).join(', ')}. End it by hand.`,
  );
}

/**
 * Ends a child that was spawned `detached`, and everything that it started: with SIGTERM, and what is left with SIGKILL.
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
    // No such group any more: all have ended.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/**
 * Starts a guard for a service: when our process ends without having released it, the guard ends the service.
 *
 * @param pid the service to end; with a minus before it, the group that it leads
 * @param temporary a directory to remove after that, or `null`
 * @returns the guard
 */
export function guardProcess(pid: number, temporary: string | null): Guard {
  const guard = spawn('/bin/sh', ['-c', GUARD_SCRIPT, 'larder-guard', String(pid), temporary ?? ''], {
    cwd: '/',
    // In a group of its own, since Ctrl-C goes to the whole group of the terminal.
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
