import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { comesTrue } from '../services/comes-true.ts';
import { exited, guardProcess, stopGroup } from '../services/process.ts';
import { ServiceError } from '../services/service-error.ts';

const POLL_MS = 100;

/** A program that runs, and does not outlive this process. */
export interface Program {
  /** Waits until an address answers with 200. */
  ready(url: string, deadlineMs: number): Promise<void>;
  /** Ends it as a crash would, and waits until it is gone. */
  kill(): Promise<void>;
  /** Ends it in order, or by force after so many milliseconds, and what it started with it. */
  stop(graceMs: number): Promise<void>;
}

/** What is started. */
export interface ProgramOptions {
  /** What it is called, in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Its environment; this process' own when absent. */
  readonly env?: NodeJS.ProcessEnv;
  /** Its working directory; this process' own when absent. */
  readonly cwd?: string;
  /** The file to which its output is added. */
  readonly log: string;
}

/**
 * Starts a program in a group of its own: Ctrl-C is ours to answer.
 *
 * @param options what is started
 * @returns the program, which need not be ready yet
 * @throws {ServiceError} when it cannot be started; `ready` throws it when the program ends, or is not ready in time
 */
export function startProgram({ name, command, args, env, cwd, log }: ProgramOptions): Program {
  const output = openSync(log, 'a');
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  if (child.pid === undefined) throw new ServiceError(`${name} could not be started.`);
  const guard = guardProcess(-child.pid, null);
  return {
    async ready(url, deadlineMs) {
      const isReady = async () => {
        if (await answers(url)) return true;
        if (child.exitCode === null && child.signalCode === null) return false;
        throw new ServiceError(`${name} did not start (${await exited(child)}): see ${log}.`);
      };
      if (await comesTrue(isReady, deadlineMs, POLL_MS)) return;
      throw new ServiceError(`${name} is not ready in time: see ${log}.`);
    },
    async kill() {
      child.kill('SIGKILL');
      await exited(child);
      await guard.release();
    },
    async stop(graceMs) {
      await stopGroup(child, graceMs);
      await guard.release();
    },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status === 200;
  } catch {
    // Nobody listens yet.
    return false;
  }
}
