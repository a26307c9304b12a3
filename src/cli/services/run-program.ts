import { type SpawnOptions, spawn } from 'node:child_process';

/** How a program ended. */
export interface Ended {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  /** What it printed, on either stream. */
  readonly said: string;
}

/**
 * Runs a program to its end, and collects its output.
 *
 * @param program its path or name
 * @param args its arguments
 * @param options where and as whom it runs
 * @returns its exit code and its output
 * @throws when it cannot be started
 */
export async function runProgram(program: string, args: readonly string[], options: SpawnOptions): Promise<Ended> {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, said };
}
