import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';

/** A program of the docs that runs. */
export interface Running {
  /** Where it listens, such as `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly process: ChildProcess;
  /** All that it has written so far. */
  said(): string;
}

/**
 * Writes the programs of a page into a project, each into the file that its first line names.
 *
 * @param page the page's file in docs/
 * @param project the project's directory
 * @returns the names of the files
 */
export function writePrograms(page: string, project: string): string[] {
  const text = readFileSync(join(REPOSITORY, 'docs', page), 'utf8');
  return [...text.matchAll(/^```ts\n(\/\/ (.+)\n[\s\S]*?)^```$/gm)].map(([, program = '', name = '']) => {
    writeFileSync(join(project, name), program);
    return name;
  });
}

/**
 * Starts a program, and stops it with the test.
 *
 * @param t the test
 * @param project the directory of the project
 * @param file the program, compiled
 * @param env its variables
 * @returns the program, listening
 * @throws what it has said, when it ends before it listens
 */
export async function startProgram(
  t: Test,
  project: string,
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<Running> {
  const child = spawn(process.execPath, [file], {
    cwd: project,
    env: { PATH: process.env.PATH, PORT: '0', METRICS_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        const [, port] = /Server listening at http:\/\/[^"]*:(\d+)/.exec(said) ?? [];
        if (port !== undefined) resolve(`http://localhost:${port}`);
      });
    }
    once(child, 'close').then(() => reject(new Error(`${file} ended: ${said}`)), reject);
  });
  return { url, process: child, said: () => said };
}
