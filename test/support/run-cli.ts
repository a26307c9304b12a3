import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** How a command ended, and what it wrote. */
export interface CliResult {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Runs a command of src/cli in a process of its own, as npm does, in the root of the repository.
 *
 * @param name the file without its ending, such as `load`
 * @param args its arguments
 * @param env its variables; of our own it gets PATH alone
 * @param onStderr told of all of stderr so far when there is more, and may end the process by returning a signal
 * @returns how it ended
 */
export function runCli(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onStderr: (stderr: string) => NodeJS.Signals | undefined = () => undefined,
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import=tsx', `src/cli/${name}.ts`, ...args], {
      cwd: REPOSITORY,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      const signal = onStderr(stderr);
      if (signal !== undefined) child.kill(signal);
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
