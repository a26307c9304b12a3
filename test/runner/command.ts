import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';

/** How a program ended and what it printed. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  /** Both streams, in the order in which they came. */
  readonly said: string;
}

const TIMEOUT_MS = 300_000;

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
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
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
  return { code, stdout, said };
}
