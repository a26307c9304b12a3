import { join } from 'node:path';
import { type Ended, runProgram } from '../../src/cli/services/run-program.ts';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';

/**
 * Runs what `make` installs packages with.
 *
 * @param project the folder with package.json and package-lock.json
 * @returns how it ended, and what it said
 */
export function runInstall(project: string): Promise<Ended> {
  const { PATH, HOME } = process.env;
  const file = join(REPOSITORY, 'src', 'cli', 'install.js');
  return runProgram(process.execPath, [file, project], { env: { PATH, HOME } });
}
