import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { stopGroup } from '../../src/cli/services/process.ts';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';

/** How a program ended and what it printed. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  /** Both streams, in the order in which they came. */
  readonly said: string;
}

const TIMEOUT_MS = 300_000;
const GRACE_MS = 3000;
const running = new Set<ChildProcess>();

/** Ends every program that `run` has started. */
export async function stopCommands(): Promise<void> {
  await Promise.all([...running].map((child) => stopGroup(child, GRACE_MS)));
}

/**
 * Runs a program that an npm package brought, in the repository and without input.
 *
 * @param name what it is called in node_modules/.bin
 * @param args its arguments
 * @returns how it ended; a program that takes longer than five minutes is ended with SIGTERM
 * @throws when it cannot be started
 */
export async function run(name: string, args: readonly string[]): Promise<Outcome> {
  const child = spawn(join(REPOSITORY, 'node_modules', '.bin', name), args, {
    cwd: REPOSITORY,
    // A group of its own, so that one signal ends what it started as well.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  running.add(child);
  let stdout = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    said += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  running.delete(child);
  return { code, stdout, said };
}
